import { once } from "node:events";
import { type ClientRequest, request } from "node:http";
import { text } from "node:stream/consumers";
import { DEFAULT_LIMITS } from "@tierkeep/schema/domain/limits";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type HandlerUnderTest, handlerUnderTest } from "./handler-under-test.ts";
import { HeldBytes } from "./held-bytes.ts";
import type { Listener } from "./listen.ts";

const KiB = 1024;

describe("bytes that are held", () => {
  it("are those of everybody together, and no more than the most", () => {
    const bytes = new HeldBytes(1_000 * KiB);
    const [first, second] = [bytes.hold(), bytes.hold()];
    first.add(400 * KiB);
    first.add(200 * KiB);
    second.add(400 * KiB);
    expect(bytes.held).toBe(1_000 * KiB);
    expect(() => second.add(1)).toThrow(Refused);
    expect(() => bytes.hold().add(65 * KiB)).toThrow(/Wait/);
    first.release();
    second.add(100 * KiB);
    expect(bytes.held).toBe(500 * KiB + 1);
    second.release();
    expect(bytes.held).toBe(0);
  });

  it("are not counted where they are few", () => {
    const bytes = new HeldBytes(100 * KiB);
    bytes.hold().add(100 * KiB);
    const small = bytes.hold();
    small.add(32 * KiB);
    small.add(32 * KiB);
    expect(bytes.held).toBe(100 * KiB);
    expect(() => small.add(1)).toThrow(Refused);
  });

  it("fit where they are of one alone, however many", () => {
    const bytes = new HeldBytes(100 * KiB);
    const alone = bytes.hold();
    for (let n = 0; n < 10; n += 1) alone.add(100 * KiB);
    expect(bytes.held).toBe(1_000 * KiB);
  });

  it("can become fewer", () => {
    const bytes = new HeldBytes(1_000 * KiB);
    const hold = bytes.hold();
    hold.add(100 * KiB);
    hold.add(-50 * KiB);
    expect(bytes.held).toBe(0);
  });
});

const limited = () =>
  handlerUnderTest({ limits: { usage: { ...DEFAULT_LIMITS.usage, maxHeldBytes: 1_000 * KiB } } });

/** A query with a variable that makes its body as long as that. */
function bodyOf(bytes: number): string {
  const [start, end] = ['{"query":"{ viewer { actor } }","variables":{"x":"', '"}}'];
  return `${start}${"x".repeat(bytes - start.length - end.length)}${end}`;
}

/** A request that has sent all of its body but the last byte. */
function begun({ port }: Listener, bytes: number, headers: object = { "content-length": bytes }) {
  const sent = request({ host: "127.0.0.1", port, path: "/graphql", method: "POST" });
  for (const [name, value] of Object.entries({ "content-type": "application/json", ...headers })) {
    sent.setHeader(name, value);
  }
  sent.on("error", () => {});
  sent.write(bodyOf(bytes).slice(0, -1));
  return sent;
}

/** What the server says that it holds. */
async function heldBy({ request }: HandlerUnderTest): Promise<number> {
  const metrics = await (await request("/metrics")).text();
  return Number(/^tierkeep_held_bytes (\d+)$/m.exec(metrics)?.[1]);
}

async function answerOf(sent: ClientRequest) {
  const [response] = await once(sent, "response");
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

async function finished(sent: ClientRequest): Promise<number> {
  sent.end("}");
  return (await answerOf(sent)).status;
}

const query = (listener: Listener, bytes: number) =>
  fetch(listener.url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: bodyOf(bytes),
  });

describe("over the wire", () => {
  it.each([
    ["that say their length", undefined],
    ["in chunks", { "transfer-encoding": "chunked" }],
  ])(
    "large requests %s are refused while others hold too much, and small ones never",
    async (_how, headers) => {
      await using world = await limited();
      const listener = await world.listen();
      const first = [begun(listener, 400 * KiB, headers), begun(listener, 400 * KiB, headers)];
      await expect.poll(() => heldBy(world)).toBeGreaterThan(799 * KiB);
      const refused = await answerOf(begun(listener, 300 * KiB, headers));
      expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "1"]);
      expect(JSON.parse(refused.body).errors[0].extensions).toMatchObject({
        code: "RATE_LIMITED",
        retryAfterSeconds: 1,
      });
      expect((await query(listener, 60 * KiB)).status).toBe(200);
      for (const each of first) expect(await finished(each)).toBe(200);
      await expect.poll(() => heldBy(world)).toBe(0);
    },
  );

  it("a client that goes away holds nothing any more", async () => {
    await using world = await limited();
    const listener = await world.listen();
    const gone = begun(listener, 900 * KiB);
    await expect.poll(() => heldBy(world)).toBe(900 * KiB);
    gone.destroy();
    await expect.poll(() => heldBy(world)).toBe(0);
  });
});

async function greeted({ url }: Listener): Promise<WebSocket> {
  const socket = new WebSocket(url.replace("http", "ws"), "graphql-transport-ws");
  await once(socket, "open");
  socket.send('{"type":"connection_init"}');
  await once(socket, "message");
  return socket;
}

/** The code that a socket is closed with. */
const closed = async (socket: WebSocket): Promise<number> => (await once(socket, "close"))[0];

async function asked(socket: WebSocket): Promise<string> {
  socket.send('{"id":"1","type":"subscribe","payload":{"query":"{ viewer { actor } }"}}');
  return String((await once(socket, "message"))[0]);
}

describe("on a WebSocket", () => {
  it("messages are counted from their first piece on until they are over", async () => {
    await using world = await limited();
    const listener = await world.listen();
    const [first, second, small] = [
      await greeted(listener),
      await greeted(listener),
      await greeted(listener),
    ];
    first.send('{"id":"1","type":"subscribe","payload":{"query":"{ viewer { actor } }","variables":{"x":"', {
      fin: false,
    });
    first.send("x".repeat(800 * KiB), { fin: false });
    await expect.poll(() => heldBy(world)).toBeGreaterThan(800 * KiB);
    expect((await query(listener, 300 * KiB)).status).toBe(429);
    second.send("x".repeat(300 * KiB), { fin: false });
    expect(await closed(second)).toBe(1013);
    expect(await asked(small)).toContain("viewer");
    first.send('"}}}');
    await once(first, "message");
    await expect.poll(() => heldBy(world)).toBe(0);
    for (const each of [first, small]) each.terminate();
  });

  it("pings and pongs hold nothing", async () => {
    await using world = await limited();
    const listener = await world.listen();
    const socket = await greeted(listener);
    const other = begun(listener, 900 * KiB);
    await expect.poll(() => heldBy(world)).toBe(900 * KiB);
    for (let n = 0; n < 4_000; n += 1) socket.pong("x".repeat(100));
    expect(await asked(socket)).toContain("viewer");
    expect(await finished(other)).toBe(200);
    socket.terminate();
  });

  it("a stranger may say no more than it takes to say who it is", async () => {
    await using world = await limited();
    const { url } = await world.listen();
    const socket = new WebSocket(url.replace("http", "ws"), "graphql-transport-ws");
    await once(socket, "open");
    socket.send("x".repeat(65 * KiB), { fin: false });
    expect(await closed(socket)).toBe(1009);
  });
});
