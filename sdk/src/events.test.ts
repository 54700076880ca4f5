import { afterEach, describe, expect, it, vi } from "vitest";
import type { Token } from "./caller.ts";
import { createTierkeep, type Tierkeep } from "./client.ts";
import { ConnectionError } from "./errors.ts";
import { BadUserInputError, CursorInvalidError, UnauthenticatedError } from "./generated/errors.ts";

/** Much longer than the wait takes, even on a busy machine. */
const PATIENT = { timeout: 30_000 };

/**
 * The event log of a scripted server behind a fetch function: events 1, 2, 3, … whose cursor is their number.
 * The test gets each connection, writes to it and closes it.
 */
class ScriptedLog {
  readonly connections: Connection[] = [];
  readonly #waiting: ((connection: Connection) => void)[] = [];
  newest = 0;
  cursorRequests = 0;

  readonly fetch = async (_url: string, init: RequestInit): Promise<Response> => {
    init.signal?.throwIfAborted();
    const { operationName, variables } = JSON.parse(String(init.body));
    if (operationName === "LifecycleEventCursor") {
      this.cursorRequests += 1;
      return Response.json({ data: { lifecycleEventCursor: String(this.newest) } });
    }
    const connection = new Connection(variables, init.signal ?? null);
    this.connections.push(connection);
    this.#waiting.shift()?.(connection);
    return connection.response;
  };

  /** Resolves with the next connection of the client. */
  connected(): Promise<Connection> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

class Connection {
  readonly variables: { after?: string; where?: unknown };
  readonly signal: AbortSignal | null;
  readonly response: Response;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  cancelled = false;

  constructor(variables: Connection["variables"], signal: AbortSignal | null) {
    this.variables = variables;
    this.signal = signal;
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => {
        this.cancelled = true;
      },
    });
    this.response = new Response(stream, { headers: { "content-type": "text/event-stream" } });
  }

  write(text: string): void {
    this.#controller.enqueue(new TextEncoder().encode(text));
  }

  event(seq: number): void {
    const data = JSON.stringify({ data: { lifecycleEvents: { cursor: String(seq) } } });
    this.write(`id: ${seq}\nevent: next\ndata: ${data}\n\n`);
  }

  refuse(code: string): void {
    this.write(
      `event: next\ndata: ${JSON.stringify({ errors: [{ message: "No.", extensions: { code } }] })}\n\n`,
    );
  }

  complete(): void {
    this.write("event: complete\ndata:\n\n");
    this.#controller.close();
  }

  cut(): void {
    this.#controller.error(new TypeError("terminated"));
  }
}

const url = "http://tierkeep.test/graphql";
const soon = { minDelayMs: 1, maxDelayMs: 2 };

function following(options: Parameters<Tierkeep["lifecycleEvents"]>[0] = {}, token?: Token) {
  const log = new ScriptedLog();
  const events = createTierkeep({ url, fetch: log.fetch, token }).lifecycleEvents({ ...soon, ...options });
  const next = async () => (await events.next()).value?.cursor;
  return { log, events, next };
}

afterEach(() => {
  vi.useRealTimers();
});

describe("lifecycleEvents", () => {
  it("starts at the time of the call: it requests the cursor before the first connection", async () => {
    const log = new ScriptedLog();
    log.newest = 7;
    const events = createTierkeep({ url, fetch: log.fetch }).lifecycleEvents();
    await vi.waitUntil(() => log.cursorRequests === 1, PATIENT);
    log.newest = 8;
    const connected = log.connected();
    const first = events.next();
    const connection = await connected;
    expect(connection.variables.after).toBe("7");
    connection.event(8);
    expect((await first).value).toEqual({ cursor: "8" });
    await events.return?.();
  });

  it("starts after the given cursor, and sends the filter", async () => {
    const { log, events, next } = following({ after: "3", where: { tenantId: "acme" } });
    const connected = log.connected();
    const first = next();
    const connection = await connected;
    expect(connection.variables).toEqual({ after: "3", where: { tenantId: "acme" } });
    expect(log.cursorRequests).toBe(0);
    connection.event(4);
    expect(await first).toBe("4");
    await events.return?.();
  });

  it.each([
    ["is cut", (connection: Connection) => connection.cut()],
    ["is completed by a server that stops", (connection: Connection) => connection.complete()],
    [
      "is cut within a message",
      (connection: Connection) => {
        connection.write('event: next\ndata: {"data":');
        connection.cut();
      },
    ],
    ["is rejected temporarily", (connection: Connection) => connection.refuse("UNAVAILABLE")],
  ])("resumes after the last event that it yielded when the connection %s", async (_, end) => {
    const { log, events, next } = following();
    let connected = log.connected();
    let wanted = next();
    for (let seq = 1; seq <= 6; seq += 2) {
      const connection = await connected;
      expect(connection.variables.after).toBe(String(seq - 1));
      connected = log.connected();
      connection.event(seq);
      expect(await wanted).toBe(String(seq));
      connection.event(seq + 1);
      expect(await next()).toBe(String(seq + 1));
      wanted = next();
      end(connection);
    }
    expect((await connected).variables.after).toBe("6");
    await events.return?.();
  });

  it("yields every event once, also the events that were unread when the connection was cut", async () => {
    const { log, events, next } = following();
    const connected = log.connected();
    const first = next();
    const connection = await connected;
    connection.event(1);
    connection.event(2);
    expect(await first).toBe("1");
    const again = log.connected();
    connection.cut();
    const second = next();
    // Whether or not the event was read before the cut, the next request matches the yielded events.
    const given: (string | undefined)[] = ["1"];
    const reconnection = await again;
    for (let seq = Number(reconnection.variables.after) + 1; seq <= 3; seq += 1) reconnection.event(seq);
    given.push(await second);
    while (given.at(-1) !== "3") given.push(await next());
    expect(given).toEqual(["1", "2", "3"]);
    await events.return?.();
  });

  it("throws a permanent refusal, such as a cursor of another log", async () => {
    const { log, next } = following({ after: "elsewhere" });
    const connected = log.connected();
    const first = next();
    (await connected).refuse("CURSOR_INVALID");
    await expect(first).rejects.toBeInstanceOf(CursorInvalidError);
  });

  it("throws a refusal that the server sends instead of a stream", async () => {
    const body = { errors: [{ message: "No.", extensions: { code: "BAD_USER_INPUT" } }] };
    const tierkeep = createTierkeep({ url, fetch: async () => Response.json(body) });
    await expect(tierkeep.lifecycleEvents({ after: "1" }).next()).rejects.toBeInstanceOf(BadUserInputError);
  });

  it("throws after `retries` retries if the server has never responded", async () => {
    const fetch = vi.fn(() => Promise.reject(new TypeError("refused")));
    const tierkeep = createTierkeep({ url, fetch, retries: 1 });
    await expect(tierkeep.lifecycleEvents(soon).next()).rejects.toBeInstanceOf(ConnectionError);
    expect(fetch).toHaveBeenCalledTimes(2);
    const events = tierkeep.lifecycleEvents({ ...soon, after: "1" });
    await expect(events.next()).rejects.toBeInstanceOf(ConnectionError);
    expect(fetch).toHaveBeenCalledTimes(4);
  });

  it("reports the state of its connection", async () => {
    const states: string[] = [];
    const { log, events, next } = following({ after: "0", onState: (state) => states.push(state) });
    const connected = log.connected();
    const first = next();
    const connection = await connected;
    const again = log.connected();
    connection.event(1);
    await first;
    expect(states).toEqual(["connecting", "live"]);
    const second = next();
    connection.cut();
    (await again).event(2);
    await second;
    expect(states).toEqual(["connecting", "live", "waiting", "connecting", "live"]);
    await events.return?.();
  });

  it("keeps retrying when a server that has responded is unavailable for some time", async () => {
    const log = new ScriptedLog();
    let down = 0;
    const fetch: typeof log.fetch = (address, init) => {
      if (down > 0 && down--) return Promise.reject(new TypeError("refused"));
      return log.fetch(address, init);
    };
    const events = createTierkeep({ url, fetch }).lifecycleEvents(soon);
    const connected = log.connected();
    const first = events.next();
    const connection = await connected;
    const again = log.connected();
    down = 4;
    connection.cut();
    (await again).event(1);
    expect((await first).value).toEqual({ cursor: "1" });
    expect(down).toBe(0);
    await events.return?.();
  });

  it("doubles the delay with each retry up to a limit, and respects retryAfterSeconds", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const pauses: number[] = [];
    const setTimeout = globalThis.setTimeout;
    const { log, events } = following({ after: "0", minDelayMs: 100, maxDelayMs: 1_000, silenceMs: 77_777 });
    vi.spyOn(globalThis, "setTimeout").mockImplementation(((run: () => void, ms?: number) => {
      if (ms !== 77_777) pauses.push(ms ?? 0);
      return setTimeout(run, ms);
    }) as typeof globalThis.setTimeout);
    const first = events.next();
    for (let tries = 0; tries < 6; tries += 1) {
      await vi.waitUntil(() => log.connections.length > tries, PATIENT);
      log.connections[tries]?.cut();
      await vi.waitUntil(() => pauses.length > tries, PATIENT);
      await vi.advanceTimersByTimeAsync(pauses[tries] ?? 0);
    }
    const expected = [100, 200, 400, 800, 1_000, 1_000];
    for (const [index, most] of expected.entries()) {
      expect(pauses[index]).toBeGreaterThanOrEqual(most / 2);
      expect(pauses[index]).toBeLessThanOrEqual(most);
    }
    await vi.waitUntil(() => log.connections.length > 6, PATIENT);
    log.connections[6]?.write(
      `event: next\ndata: ${JSON.stringify({ errors: [{ extensions: { code: "RATE_LIMITED", retryAfterSeconds: 60 } }] })}\n\n`,
    );
    await vi.waitUntil(() => pauses.length > 6, PATIENT);
    expect(pauses[6]).toBeGreaterThanOrEqual(60_000);
    expect(pauses[6]).toBeLessThanOrEqual(61_000);
    vi.restoreAllMocks();
    await events.return?.();
    expect(await first).toEqual({ done: true, value: undefined });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("closes a connection without data, and counts keepalives as data", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { log, events, next } = following({ silenceMs: 1_000 });
    const first = next();
    await vi.waitUntil(() => log.connections.length === 1, PATIENT);
    const [silent] = log.connections;
    await vi.advanceTimersByTimeAsync(900);
    silent?.write(": keepalive\n\n");
    await vi.advanceTimersByTimeAsync(900);
    expect(log.connections).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(silent?.cancelled).toBe(true);
    await vi.waitUntil(() => log.connections.length === 2, PATIENT);
    log.connections[1]?.event(1);
    expect(await first).toBe("1");
    await events.return?.();
  });

  it("does not treat a busy reader as a silent server", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { log, events, next } = following({ silenceMs: 1_000 });
    const first = next();
    await vi.waitUntil(() => log.connections.length === 1, PATIENT);
    log.connections[0]?.event(1);
    await first;
    await vi.advanceTimersByTimeAsync(60_000);
    const second = next();
    log.connections[0]?.event(2);
    expect(await second).toBe("2");
    expect(log.connections).toHaveLength(1);
    await events.return?.();
  });
});

describe("lifecycleEvents ends", () => {
  it("immediately at return(), even while it waits for an event", async () => {
    const { log, events } = following();
    const connected = log.connected();
    const waiting = events.next();
    const connection = await connected;
    await expect(events.return?.()).resolves.toEqual({ done: true, value: undefined });
    await expect(waiting).resolves.toEqual({ done: true, value: undefined });
    await expect(events.next()).resolves.toEqual({ done: true, value: undefined });
    expect(connection.signal?.aborted).toBe(true);
  });

  it("when a loop over the events is left", async () => {
    const { log, events } = following();
    const connected = log.connected();
    void connected.then((connection) => connection.event(1));
    for await (const event of events) {
      expect(event.cursor).toBe("1");
      break;
    }
    expect((await connected).signal?.aborted).toBe(true);
  });

  it.each(["of the call", "of the client"])(
    "at the abort of the signal %s, without an error",
    async (which) => {
      const log = new ScriptedLog();
      const controller = new AbortController();
      const ofClient = which === "of the client" ? { signal: controller.signal } : {};
      const ofCall = which === "of the call" ? { signal: controller.signal } : {};
      const events = createTierkeep({ url, fetch: log.fetch, ...ofClient }).lifecycleEvents({
        ...soon,
        ...ofCall,
      });
      const connected = log.connected();
      const waiting = events.next();
      await connected;
      controller.abort();
      await expect(waiting).resolves.toEqual({ done: true, value: undefined });
    },
  );

  it("while it waits to reconnect to an unavailable server", async () => {
    const { log, events } = following({ minDelayMs: 1e9, maxDelayMs: 1e9 });
    const connected = log.connected();
    const waiting = events.next();
    (await connected).cut();
    await events.return?.();
    await expect(waiting).resolves.toMatchObject({ done: true });
  });
});

describe("lifecycleEvents with an expired token", () => {
  it("continues after the last event with the next token", async () => {
    const { log, events, next } = following({}, () => "t0ken");
    let wanted = next();
    for (const seq of [1, 2, 3]) {
      await vi.waitUntil(() => log.connections.length === seq);
      const connection = log.connections.at(-1);
      expect(connection?.variables.after).toBe(String(seq - 1));
      connection?.event(seq);
      expect(await wanted).toBe(String(seq));
      wanted = next();
      connection?.refuse("UNAUTHENTICATED");
    }
    await events.return?.();
    expect(await wanted).toBeUndefined();
  });

  it("throws the refusal if there is no next token", async () => {
    const { log, next } = following({}, "t0ken");
    const connected = log.connected();
    const first = next();
    (await connected).refuse("UNAUTHENTICATED");
    await expect(first).rejects.toBeInstanceOf(UnauthenticatedError);
  });
});
