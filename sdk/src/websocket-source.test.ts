import { describe, expect, it, vi } from "vitest";
import { createTierkeep } from "./client.ts";
import { CursorInvalidError, UnauthenticatedError } from "./generated/errors.ts";

/** Much longer than the wait takes, even on a busy machine. */
const PATIENT = { timeout: 30_000 };

type Message = { id?: string; type: string; payload?: unknown };

/** A WebSocket class with a scripted graphql-transport-ws server. The test writes its messages. */
class ScriptedSocket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  static sockets: ScriptedSocket[] = [];

  readyState = 0;
  onopen: (() => void) | null = null;
  onclose: ((event: unknown) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  readonly url: string;
  readonly sent: Message[] = [];
  closedByClient = false;

  constructor(url: string) {
    this.url = url;
    ScriptedSocket.sockets.push(this);
    queueMicrotask(() => {
      this.readyState = 1;
      this.onopen?.();
    });
  }

  send(text: string): void {
    const message: Message = JSON.parse(text);
    this.sent.push(message);
    if (message.type === "connection_init") this.answer({ type: "connection_ack" });
  }

  close(): void {
    this.closedByClient = true;
    this.readyState = 3;
  }

  get subscription(): { id: string; payload: { variables: { after: string } } } | undefined {
    return this.sent.find(({ type }) => type === "subscribe") as never;
  }

  answer(message: Message): void {
    queueMicrotask(() => this.onmessage?.({ data: JSON.stringify(message) }));
  }

  event(seq: number): void {
    const id = this.subscription?.id ?? "";
    this.answer({ id, type: "next", payload: { data: { lifecycleEvents: { cursor: String(seq) } } } });
  }

  drop(code: number): void {
    this.readyState = 3;
    this.onclose?.({ code, reason: "" });
  }
}

function following(options: { token?: string | (() => string) } = {}) {
  ScriptedSocket.sockets = [];
  const tierkeep = createTierkeep({
    url: "https://tierkeep.test/graphql",
    fetch: async () => Response.json({ data: { lifecycleEventCursor: "0" } }),
    transport: "ws",
    webSocket: ScriptedSocket,
    ...options,
  });
  return tierkeep.lifecycleEvents({ minDelayMs: 1, maxDelayMs: 2 });
}

async function subscribed(index: number): Promise<ScriptedSocket> {
  await vi.waitUntil(() => ScriptedSocket.sockets[index]?.subscription !== undefined, PATIENT);
  return ScriptedSocket.sockets[index] as ScriptedSocket;
}

describe("events over a WebSocket", () => {
  it("are requested from the endpoint's ws URL, after the cursor, with the token in connection_init", async () => {
    const events = following({ token: "t0ken" });
    const first = events.next();
    const socket = await subscribed(0);
    expect(socket.url).toBe("wss://tierkeep.test/graphql");
    expect(socket.sent[0]).toEqual({ type: "connection_init", payload: { authorization: "Bearer t0ken" } });
    expect(socket.subscription?.payload.variables.after).toBe("0");
    socket.event(1);
    expect((await first).value).toEqual({ cursor: "1" });
    await events.return?.();
    expect(socket.closedByClient).toBe(true);
  });

  it("resume after the last event that was read when the socket closes or the server stops", async () => {
    const events = following();
    let wanted = events.next();
    for (const [index, code] of [1006, 1001, 1000, 4500].entries()) {
      const socket = await subscribed(index);
      expect(socket.subscription?.payload.variables.after).toBe(String(index));
      socket.event(index + 1);
      expect((await wanted).value).toEqual({ cursor: String(index + 1) });
      wanted = events.next();
      socket.drop(code);
    }
    await subscribed(4);
    await events.return?.();
    await expect(wanted).resolves.toMatchObject({ done: true });
  });

  it("close the connection at a full queue, and resume without losing events", async () => {
    const events = following();
    const first = events.next();
    const socket = await subscribed(0);
    for (let seq = 1; seq <= 1_500; seq += 1) socket.event(seq);
    expect((await first).value).toEqual({ cursor: "1" });
    // The client requests the dropped events again.
    const again = subscribed(1).then((second) => {
      const after = Number(second.subscription?.payload.variables.after);
      for (let seq = after + 1; seq <= 1_500; seq += 1) second.event(seq);
    });
    const given = [1];
    while (given.length < 1_500) given.push(Number((await events.next()).value?.cursor));
    await again;
    expect(given).toEqual(Array.from({ length: 1_500 }, (_, index) => index + 1));
    expect(ScriptedSocket.sockets.length).toBeGreaterThan(1);
    await events.return?.();
  });

  it("throw refusals of the server", async () => {
    const events = following();
    const first = events.next();
    const socket = await subscribed(0);
    const errors = [{ message: "No.", extensions: { code: "CURSOR_INVALID" } }];
    socket.answer({ id: socket.subscription?.id ?? "", type: "error", payload: errors });
    await expect(first).rejects.toBeInstanceOf(CursorInvalidError);
  });

  it("throw UnauthenticatedError for the close code 4401", async () => {
    const events = following();
    const first = events.next();
    (await subscribed(0)).drop(4401);
    await expect(first).rejects.toBeInstanceOf(UnauthenticatedError);
  });

  it("use the next token after the server rejects the current one", async () => {
    let given = 0;
    const events = following({ token: () => `token ${++given}` });
    const first = events.next();
    const socket = await subscribed(0);
    const asked = given;
    socket.drop(4401);
    const again = await subscribed(1);
    expect(again.sent[0]?.payload).toEqual({ authorization: `Bearer token ${asked + 1}` });
    again.event(1);
    expect((await first).value).toEqual({ cursor: "1" });
    await events.return?.();
  });

  it("answer a ping with a pong, and send pings", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    try {
      const events = following();
      const first = events.next();
      const socket = await subscribed(0);
      socket.answer({ type: "ping" });
      socket.answer({ type: "pong" });
      socket.event(1);
      await first;
      expect(socket.sent.at(-1)).toEqual({ type: "pong" });
      vi.advanceTimersByTime(15_000);
      expect(socket.sent.at(-1)).toEqual({ type: "ping" });
      await events.return?.();
      const { length } = socket.sent;
      vi.advanceTimersByTime(60_000);
      expect(socket.sent).toHaveLength(length);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([
    ["is not JSON", "hello"],
    ["is not an object", "7"],
    ["has an unknown type", '{"type":"toString"}'],
  ])("reconnect after a message that %s", async (_, data) => {
    const events = following();
    const first = events.next();
    (await subscribed(0)).onmessage?.({ data });
    (await subscribed(1)).event(1);
    expect((await first).value).toEqual({ cursor: "1" });
    await events.return?.();
  });

  it("throw a TypeError that names the option if the runtime has no WebSocket", async () => {
    vi.stubGlobal("WebSocket", undefined);
    const events = createTierkeep({ url: "http://tierkeep.test/graphql", transport: "ws" }).lifecycleEvents({
      after: "0",
    });
    await expect(events.next()).rejects.toThrow(/webSocket/);
    vi.unstubAllGlobals();
  });
});
