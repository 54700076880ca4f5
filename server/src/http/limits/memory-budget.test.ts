import { once } from "node:events";
import { type ClientRequest, request } from "node:http";
import { text } from "node:stream/consumers";
import { DEFAULT_LIMITS } from "@tierkeep/schema/domain/limits";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type HandlerUnderTest, handlerUnderTest } from "../../../testing/http/handler-under-test.ts";
import type { Listener } from "../node/listen.ts";
import { ALLOWANCE_BYTES } from "./limits.ts";
import { MemoryBudget } from "./memory-budget.ts";
import { addressOwner, networkOf, type Owner, principalOwner, urlOwner } from "./owner.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

const named = (name: string): Owner => ({ kind: "principal", name });

describe("a memory budget", () => {
  const budgetOf = (bytes: number) => {
    const clock = { now: 1_000 };
    return { clock, budget: new MemoryBudget(bytes, () => clock.now) };
  };

  it("counts small charges too, and returns released bytes", () => {
    const { budget } = budgetOf(64 * MiB);
    const [one, two] = [budget.charge(named("a")), budget.charge(named("b"))];
    one.add(1);
    two.add(100);
    two.add(-40);
    expect([budget.bytes, budget.owners]).toEqual([61, 2]);
    one.release();
    two.release();
    one.add(5);
    expect([budget.bytes, budget.owners]).toEqual([0, 0]);
  });

  it("limits a principal to half, and says when to retry", () => {
    const { budget } = budgetOf(64 * MiB);
    const owner = named("a");
    budget.charge(named("b")).add(1);
    for (let n = 0; n < 28; n += 1) budget.charge(owner).add(MiB);
    const refused = budget.charge(owner);
    expect(() => refused.add(MiB)).toThrow(Refused);
    expect(refused.refused).toMatchObject({ code: "RATE_LIMITED", facts: { retryAfterSeconds: 1 } });
    expect(budget.bytes).toBe(28 * MiB + 1);
  });

  it("leaves space for a principal's small calls while its large ones run", () => {
    const { budget } = budgetOf(64 * MiB);
    const owner = named("a");
    budget.charge(named("b")).add(1);
    for (let n = 0; n < 28; n += 1) budget.charge(owner).add(MiB);
    for (let n = 0; n < 64; n += 1) budget.charge(owner).add(64 * KiB);
    expect(() => budget.charge(owner).add(64 * KiB)).toThrow(Refused);
  });

  it("always grants a principal its allowance, whatever others use", () => {
    const { budget } = budgetOf(16 * MiB);
    for (const name of ["a", "b"]) {
      for (let n = 0; n < 7; n += 1) budget.charge(named(name)).add(MiB);
    }
    const one = budget.charge(named("c"));
    one.add(ALLOWANCE_BYTES);
    expect(() => one.add(1)).toThrow(Refused);
  });

  it("limits others to an equal share while an owner waits, and no longer", () => {
    const { budget, clock } = budgetOf(32 * MiB);
    const [a, b] = [named("a"), named("b")];
    const calls = Array.from({ length: 14 }, () => budget.charge(a));
    for (const call of calls) call.add(MiB);
    const other = budget.charge(b);
    for (let n = 0; n < 14; n += 1) budget.charge(b).add(MiB);
    expect(() => budget.charge(named("c")).add(2 * MiB)).toThrow(Refused);
    // Three owners: a third of 32 MiB each. Space is free again, but it is reserved for the waiting owner.
    for (const call of calls.slice(0, 3)) call.release();
    expect(() => budget.charge(a).add(MiB)).toThrow(Refused);
    expect(() => other.add(MiB)).toThrow(Refused);
    budget.charge(named("c")).add(2 * MiB);
    clock.now += 10_000;
    budget.charge(a).add(MiB / 2);
  });

  it("grants a call of any size if no other owner competes", () => {
    const { budget } = budgetOf(4 * MiB);
    const alone = budget.charge(named("a"));
    for (let n = 0; n < 10; n += 1) alone.add(MiB);
    expect(budget.bytes).toBe(10 * MiB);
  });

  it("limits signed URLs and anonymous clients to a quarter each, and a single one to an eighth", () => {
    for (const owner of [urlOwner, addressOwner]) {
      const { budget } = budgetOf(64 * MiB);
      budget.charge(named("a")).add(1);
      for (let n = 0; n < 7; n += 1) budget.charge(owner("192.0.2.1")).add(MiB);
      expect(() => budget.charge(owner("192.0.2.1")).add(MiB)).toThrow(Refused);
      for (let n = 0; n < 7; n += 1) budget.charge(owner("192.0.2.2")).add(MiB);
      expect(() => budget.charge(owner("192.0.2.3")).add(2 * MiB)).toThrow(Refused);
      budget.charge(named("a")).add(20 * MiB);
    }
  });

  it("moves a charge to its owner once the owner is known", () => {
    const { budget } = budgetOf(64 * MiB);
    const call = budget.charge(addressOwner("192.0.2.1"));
    call.add(7 * MiB);
    call.assign(named("a"));
    budget.charge(addressOwner("192.0.2.1")).add(7 * MiB);
    call.release();
    expect(budget.bytes).toBe(7 * MiB);
  });

  it("accepts the size of a finished response without refusing it", () => {
    const { budget } = budgetOf(4 * MiB);
    budget.charge(named("b")).add(MiB);
    const call = budget.charge(named("a"));
    call.add(MiB);
    call.hold(10 * MiB);
    expect(budget.bytes).toBe(11 * MiB);
    call.hold(10);
    expect(budget.bytes).toBe(MiB + 10);
  });
});

describe("an owner", () => {
  it("is an actor with its tenants in any order", () => {
    const of = (actor: string, tenants: string[] | null) =>
      principalOwner({ actor, role: "READER", tenants });
    expect(of("a", ["x", "y"])).toEqual(of("a", ["y", "x", "x"]));
    const names = [of("a", ["x"]), of("a", ["y"]), of("a", null), of("b", null), of("a", [])];
    expect(new Set(names.map(({ name }) => name)).size).toBe(5);
  });

  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:db8:1:2::9%eth0", "2001:db8:1:2"],
    ["::1", "0:0:0:0"],
  ])("of an anonymous client is its network: %s is in %s", (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

const limited = () =>
  handlerUnderTest({ limits: { usage: { ...DEFAULT_LIMITS.usage, maxHeldBytes: 10 * MiB } } });

/** Returns a query with a variable that makes its body this long. */
function bodyOf(bytes: number): string {
  const [start, end] = ['{"query":"{ viewer { actor } }","variables":{"x":"', '"}}'];
  return `${start}${"x".repeat(bytes - start.length - end.length)}${end}`;
}

/** A request that has sent its body except the last byte, or only its first `bytes`. */
function startRequest(
  { port }: Listener,
  bytes: number,
  headers: object = { "content-length": bytes },
  sentBytes = bytes - 1,
) {
  const sent = request({ host: "127.0.0.1", port, path: "/graphql", method: "POST" });
  for (const [name, value] of Object.entries({ "content-type": "application/json", ...headers })) {
    sent.setHeader(name, value);
  }
  sent.on("error", () => {});
  sent.write(bodyOf(bytes).slice(0, sentBytes));
  return sent;
}

/** Bytes in use, from the server's own metric. */
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

describe("MemoryBudget over HTTP", () => {
  it.each([
    ["with a length", undefined],
    ["in chunks", { "transfer-encoding": "chunked" }],
  ])(
    "refuses large requests %s while too much memory is in use, and accepts small ones",
    async (_how, headers) => {
      await using world = await limited();
      const listener = await world.listen();
      const first = [startRequest(listener, 2 * MiB, headers), startRequest(listener, 2 * MiB, headers)];
      await expect.poll(() => heldBy(world)).toBeGreaterThan(4 * MiB);
      const refused = await answerOf(startRequest(listener, 2 * MiB, headers));
      expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "1"]);
      expect(JSON.parse(refused.body).errors[0].extensions).toMatchObject({
        code: "RATE_LIMITED",
        retryAfterSeconds: 1,
      });
      expect((await query(listener, 40 * KiB)).status).toBe(200);
      for (const each of first) expect(await finished(each)).toBe(200);
      await expect.poll(() => heldBy(world)).toBe(0);
    },
  );

  it("charges a body as it arrives, not as announced", async () => {
    await using world = await limited();
    const listener = await world.listen();
    const announced = Array.from({ length: 37 }, () => startRequest(listener, 7 * MiB, undefined, 100));
    await expect.poll(() => heldBy(world)).toBeGreaterThan(37 * 100);
    expect(await heldBy(world)).toBeLessThan(MiB);
    expect((await query(listener, 2 * MiB)).status).toBe(200);
    for (const each of announced) each.destroy();
    await expect.poll(() => heldBy(world)).toBe(0);
  });

  it("releases the memory of a client that disconnects", async () => {
    await using world = await limited();
    const listener = await world.listen();
    const gone = startRequest(listener, 3 * MiB);
    await expect.poll(() => heldBy(world)).toBeGreaterThan(3 * MiB - 1);
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

/** Returns the close code of a socket. */
const closed = async (socket: WebSocket): Promise<number> => (await once(socket, "close"))[0];

async function queried(socket: WebSocket): Promise<string> {
  socket.send('{"id":"1","type":"subscribe","payload":{"query":"{ viewer { actor } }"}}');
  return String((await once(socket, "message"))[0]);
}

describe("MemoryBudget on a WebSocket", () => {
  it("counts messages from their first bytes until they are processed", async () => {
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
    first.send("x".repeat(3.5 * MiB), { fin: false });
    await expect.poll(() => heldBy(world)).toBeGreaterThan(3.5 * MiB);
    expect((await query(listener, 2 * MiB)).status).toBe(429);
    second.send("x".repeat(2 * MiB), { fin: false });
    expect(await closed(second)).toBe(1013);
    expect(await queried(small)).toContain("viewer");
    first.send('"}}}');
    await once(first, "message");
    await expect.poll(() => heldBy(world)).toBeLessThan(100 * KiB);
    for (const each of [first, small]) each.terminate();
    await expect.poll(() => heldBy(world)).toBe(0);
  });

  it("does not count pings and pongs", async () => {
    await using world = await limited();
    const listener = await world.listen();
    const socket = await greeted(listener);
    const before = await heldBy(world);
    for (let n = 0; n < 4_000; n += 1) socket.pong("x".repeat(100));
    expect(await queried(socket)).toContain("viewer");
    await expect.poll(() => heldBy(world)).toBe(before);
    socket.terminate();
  });

  it("limits a client before authentication to the size of a token", async () => {
    await using world = await limited();
    const { url } = await world.listen();
    const socket = new WebSocket(url.replace("http", "ws"), "graphql-transport-ws");
    await once(socket, "open");
    socket.send("x".repeat(65 * KiB), { fin: false });
    expect(await closed(socket)).toBe(1009);
  });
});
