import { once } from "node:events";
import type { Socket } from "node:net";
import { DEFAULT_LIMITS } from "@tierkeep/schema/domain/limits";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import {
  type HandlerUnderTest,
  handlerUnderTest,
  withMethods,
} from "../../../testing/http/handler-under-test.ts";
import type { Listener } from "../node/listen.ts";

const open: WebSocket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.terminate();
});

async function connected({ url }: Listener): Promise<WebSocket> {
  const socket = new WebSocket(url.replace("http", "ws"), "graphql-transport-ws");
  open.push(socket);
  socket.on("error", () => {});
  await once(socket, "open");
  socket.send('{"type":"connection_init"}');
  await once(socket, "message");
  return socket;
}

const subscribe = (id: string, query: string) =>
  JSON.stringify({ id, type: "subscribe", payload: { query } });
const complete = (id: string) => JSON.stringify({ id, type: "complete" });
const FOLLOW = "subscription { lifecycleEvents { id } }";
const ACTOR = "{ viewer { actor } }";

async function metric({ request }: HandlerUnderTest, name: string): Promise<number> {
  const metrics = await (await request("/metrics")).text();
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(metrics)?.[1]);
}

/** Requests, subscriptions and bytes that are currently counted. */
const counted = async (world: HandlerUnderTest) => [
  await metric(world, "tierkeep_requests_under_way"),
  await metric(world, "tierkeep_subscriptions"),
  await metric(world, "tierkeep_held_bytes"),
];

describe("operations on a WebSocket", () => {
  it("release all their resources if they are completed in the same burst and the socket closes", async () => {
    const followed: AbortSignal[] = [];
    await using world = await handlerUnderTest({
      replace: ({ events }) => ({
        events: withMethods(events, {
          follow: (principal, filter, after, signal) => {
            followed.push(signal);
            return events.follow(principal, filter, after, signal);
          },
        }),
      }),
    });
    const listener = await world.listen();
    for (let n = 0; n < 50; n += 1) {
      const socket = await connected(listener);
      for (const message of [subscribe("1", FOLLOW), complete("1"), subscribe("2", FOLLOW)]) {
        socket.send(message);
      }
      if (n % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
      (socket as unknown as { _socket: Socket })._socket.end();
    }
    await expect.poll(() => counted(world), { timeout: 20_000 }).toEqual([0, 0, 0]);
    expect(followed.every(({ aborted }) => aborted)).toBe(true);
  });

  it("release all their resources if they are invalid and completed immediately", async () => {
    await using world = await handlerUnderTest();
    const socket = await connected(await world.listen());
    for (let n = 0; n < 100; n += 1) {
      socket.send(subscribe(`${n}`, n % 2 === 0 ? "{ nothing }" : "{ viewer { actor }"));
      socket.send(complete(`${n}`));
    }
    socket.send(subscribe("last", ACTOR));
    await expect.poll(() => metric(world, "tierkeep_requests_under_way"), { timeout: 20_000 }).toBe(1);
    socket.terminate();
    await expect.poll(() => counted(world), { timeout: 20_000 }).toEqual([0, 0, 0]);
  });

  it("close the socket with 4409 if one reuses the id of a pending one", async () => {
    const begun = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    await using world = await handlerUnderTest({
      replace: ({ events }) => ({
        events: withMethods(events, {
          follow: async (...args) => {
            begun.resolve();
            await go.promise;
            return events.follow(...args);
          },
        }),
      }),
    });
    const socket = await connected(await world.listen());
    socket.send(subscribe("1", FOLLOW));
    await begun.promise;
    socket.send(complete("1"));
    socket.send(subscribe("1", FOLLOW));
    const [code] = await once(socket, "close");
    expect(code).toBe(4409);
    go.resolve();
    await expect.poll(() => counted(world), { timeout: 20_000 }).toEqual([0, 0, 0]);
  });

  it("may reuse an id once its operation has ended", async () => {
    await using world = await handlerUnderTest();
    const socket = await connected(await world.listen());
    for (let n = 0; n < 3; n += 1) {
      socket.send(subscribe("1", ACTOR));
      await expect.poll(() => metric(world, "tierkeep_requests_under_way")).toBe(1);
    }
    expect(socket.readyState).toBe(WebSocket.OPEN);
  });

  it("that follow events share one event in flight while their client does not read", async () => {
    let reads = 0;
    await using world = await handlerUnderTest({
      replace: ({ artifacts }) => ({
        artifacts: withMethods(artifacts, {
          bytes: (...args) => {
            reads += 1;
            return artifacts.bytes(...args);
          },
        }),
      }),
    });
    const socket = await connected(await world.listen());
    for (let n = 0; n < 150; n += 1) {
      socket.send(subscribe(`${n}`, "subscription { lifecycleEvents { artifact { text } } }"));
    }
    await expect.poll(() => metric(world, "tierkeep_subscriptions"), { timeout: 20_000 }).toBe(150);
    const tcp = (socket as unknown as { _socket: Socket })._socket;
    tcp.pause();
    const body = "x".repeat(1024 * 1024);
    await world.request("/artifacts/t/w/a", { method: "PUT", body });
    let before = -1;
    while (reads !== before) {
      before = reads;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    // The sockets' buffers fill; the other events wait in the log.
    expect(reads).toBeGreaterThan(0);
    expect(reads).toBeLessThan(30);
    expect(await metric(world, "tierkeep_held_bytes")).toBeLessThan(16 * 2 ** 20);
    tcp.resume();
    await expect.poll(() => reads, { timeout: 60_000 }).toBe(150);
    socket.terminate();
    await expect.poll(() => counted(world), { timeout: 20_000 }).toEqual([0, 0, 0]);
  });

  it("wait for their turn, so that another client's request runs between thousands of them", async () => {
    await using world = await handlerUnderTest({
      limits: { usage: { ...DEFAULT_LIMITS.usage, maxRequestsPerPrincipal: 100_000 } },
    });
    const listener = await world.listen();
    const socket = await connected(listener);
    let answered = 0;
    socket.on("message", (data) => {
      if (String(data).includes('"next"')) answered += 1;
    });
    for (let n = 0; n < 3_000; n += 1) socket.send(subscribe(`${n}`, ACTOR));
    await expect.poll(() => answered, { interval: 1, timeout: 20_000 }).toBeGreaterThan(0);
    const { origin } = new URL(listener.url);
    expect((await fetch(`${origin}/healthz`)).status).toBe(200);
    expect(answered).toBeLessThan(1_500);
    expect(await metric(world, "tierkeep_requests_under_way")).toBeLessThan(500);
    await expect.poll(() => answered, { timeout: 60_000 }).toBe(3_000);
  });
});
