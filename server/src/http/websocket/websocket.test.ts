import { once } from "node:events";
import type { Socket } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
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

/** A client of graphql-transport-ws that sends and reads single messages. */
class Client {
  readonly socket: WebSocket;
  readonly #messages: Record<string, unknown>[] = [];
  #arrived = Promise.withResolvers<void>();

  constructor(listener: Listener, options: ClientOptions = {}) {
    this.socket = new WebSocket(listener.url.replace("http", "ws"), "graphql-transport-ws", options);
    open.push(this.socket);
    this.socket.on("error", () => {});
    this.socket.on("message", (data) => {
      this.#messages.push(JSON.parse(String(data)));
      this.#arrived.resolve();
    });
  }

  static async connected(listener: Listener): Promise<Client> {
    const client = new Client(listener);
    await once(client.socket, "open");
    client.send({ type: "connection_init" });
    expect(await client.next()).toEqual({ type: "connection_ack" });
    return client;
  }

  send(message: unknown): void {
    this.socket.send(JSON.stringify(message));
  }

  subscribe(id: string, query: string, variables = {}): void {
    this.send({ id, type: "subscribe", payload: { query, variables } });
  }

  async next(): Promise<Record<string, unknown>> {
    while (this.#messages.length === 0) {
      await this.#arrived.promise;
      this.#arrived = Promise.withResolvers();
    }
    return this.#messages.shift() as Record<string, unknown>;
  }
}

const WATCH = "subscription ($after: String) { lifecycleEvents(after: $after) { artifactId } }";

const write = (world: HandlerUnderTest, artifactId: string) =>
  world.request(`/artifacts/t/w/${artifactId}`, { method: "PUT", body: artifactId });

const cursorNow = (world: HandlerUnderTest) =>
  world.services.events.cursor({ actor: "test", role: "ADMIN", tenants: null });

describe("GraphQL over WebSockets", () => {
  it("executes queries and mutations", async () => {
    await using world = await handlerUnderTest();
    const client = await Client.connected(await world.listen());
    client.subscribe("1", "{ viewer { actor } }");
    expect(await client.next()).toEqual({
      id: "1",
      type: "next",
      payload: { data: { viewer: { actor: "local" } } },
    });
    expect(await client.next()).toEqual({ id: "1", type: "complete" });
    expect(world.logged.at(-1)).toMatchObject({
      operation: "query (unnamed)",
      requestId: expect.any(String),
    });
  });

  it("replays from a cursor and continues live", async () => {
    await using world = await handlerUnderTest();
    const start = await cursorNow(world);
    await write(world, "a");
    const client = await Client.connected(await world.listen());
    client.subscribe("1", WATCH, { after: start });
    const event = (artifactId: string) => ({
      id: "1",
      type: "next",
      payload: { data: { lifecycleEvents: { artifactId } } },
    });
    expect(await client.next()).toEqual(event("a"));
    await write(world, "b");
    expect(await client.next()).toEqual(event("b"));
  });

  it.each([
    ["GRAPHQL_PARSE_FAILED", "{ viewer {", {}],
    ["GRAPHQL_VALIDATION_FAILED", "{ nothing }", {}],
    ["CURSOR_INVALID", WATCH, { after: "none" }],
    ["BAD_USER_INPUT", WATCH, { after: 7 }],
  ])("refuses with %s and a request id", async (code, query, variables) => {
    await using world = await handlerUnderTest();
    const client = await Client.connected(await world.listen());
    client.subscribe("1", query, variables);
    const { type, payload } = await client.next();
    const errors = type === "error" ? payload : (payload as { errors: unknown }).errors;
    expect(errors).toMatchObject([
      { message: expect.any(String), extensions: { code, requestId: expect.any(String) } },
    ]);
    expect(JSON.stringify(errors)).not.toContain('"http"');
  });

  it("hides an unexpected failure behind INTERNAL", async () => {
    await using world = await handlerUnderTest({
      replace: ({ tenants }) => ({
        tenants: withMethods(tenants, { tierCounts: () => Promise.reject(new Error("secret")) }),
      }),
    });
    const client = await Client.connected(await world.listen());
    client.subscribe("1", "{ tierStats { tier } }");
    const message = JSON.stringify(await client.next());
    expect(message).toContain('"INTERNAL"');
    expect(message).not.toContain("secret");
    expect(JSON.stringify(world.logged)).toContain("secret");
  });

  it.each<[string, ClientOptions]>([
    ["another origin", { origin: "https://evil.example" }],
    ["another host's name", { headers: { host: "evil.example" } }],
  ])("refuses the upgrade from %s", async (_what, options) => {
    await using world = await handlerUnderTest();
    const client = new Client(await world.listen(), options);
    const [, response] = await once(client.socket, "unexpected-response");
    expect(response.statusCode).toBe(403);
    response.resume();
  });

  it("refuses the upgrade on other paths than /graphql", async () => {
    await using world = await handlerUnderTest();
    const listener = await world.listen();
    const socket = new WebSocket(listener.url.replace("http", "ws").replace("graphql", "other"));
    socket.on("error", () => {});
    const [, response] = await once(socket, "unexpected-response");
    expect(response.statusCode).toBe(404);
    response.resume();
  });

  it("closes a socket whose message is larger than any operation", async () => {
    await using world = await handlerUnderTest({ maxInlineBytes: 0 });
    const client = await Client.connected(await world.listen());
    client.socket.send("x".repeat(2 ** 20 + 1));
    const [code] = await once(client.socket, "close");
    expect(code).toBe(1009);
  });

  it("completes subscriptions when the server is closed, then closes sockets", async () => {
    await using world = await handlerUnderTest();
    const listener = await world.listen();
    const client = await Client.connected(listener);
    const start = await cursorNow(world);
    await write(world, "a");
    client.subscribe("1", WATCH, { after: start });
    await client.next();
    const closed = once(client.socket, "close");
    await listener.close(Date.now() + 10_000);
    expect(await client.next()).toEqual({ id: "1", type: "complete" });
    expect((await closed)[0]).toBe(1001);
  });

  it("stops following the log when the client unsubscribes or disconnects", async () => {
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
    const client = await Client.connected(await world.listen());
    client.subscribe("1", WATCH);
    client.subscribe("2", WATCH);
    await expect.poll(() => followed).toHaveLength(2);
    client.send({ id: "1", type: "complete" });
    await expect.poll(() => followed.map(({ aborted }) => aborted)).toEqual([true, false]);
    client.socket.terminate();
    await expect.poll(() => followed[1]?.aborted).toBe(true);
  });

  it("sends pings, and disconnects a client that does not answer", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    try {
      await using world = await handlerUnderTest();
      const client = await Client.connected(await world.listen());
      const pinged = once(client.socket, "ping");
      await vi.advanceTimersByTimeAsync(12_000);
      await pinged;
      // Its pong arrived before this response, so the client is alive.
      client.send({ type: "ping" });
      expect(await client.next()).toEqual({ type: "pong" });
      await vi.advanceTimersByTimeAsync(12_000);
      expect(client.socket.readyState).toBe(WebSocket.OPEN);

      const deaf = new Client(await world.listen(), { autoPong: false });
      await once(deaf.socket, "open");
      await vi.advanceTimersByTimeAsync(24_000);
      expect((await once(deaf.socket, "close"))[0]).toBe(1006);
    } finally {
      vi.useRealTimers();
    }
  });

  it("reads no more of the log than the socket accepts, so a stalled client uses bounded memory", async () => {
    let taken = 0;
    const total = 5000;
    await using world = await handlerUnderTest({
      replace: ({ events }) => ({
        events: withMethods(events, {
          follow: async (principal) => {
            const cursor = await events.cursor(principal);
            return (async function* () {
              for (; taken < total; taken++) {
                yield {
                  cursor,
                  seq: taken,
                  timestamp: 0,
                  type: "SCAN_ERROR" as const,
                  actor: "x".repeat(16_384),
                  tenantId: null,
                  workflowId: null,
                  artifactId: null,
                  fromTier: null,
                  toTier: null,
                  ageDays: null,
                  sizeBytes: null,
                  checksum: null,
                  dryRun: false,
                  jobId: null,
                  errorCode: null,
                  error: null,
                };
              }
            })();
          },
        }),
      }),
    });
    const client = await Client.connected(await world.listen());
    const tcp = (client.socket as unknown as { _socket: Socket })._socket;
    client.subscribe("1", "subscription { lifecycleEvents { actor } }");
    await client.next();
    tcp.pause();
    let before = -1;
    while (taken !== before) {
      before = taken;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    // 80 MB in total; the sockets' buffers hold some of it.
    expect(taken).toBeLessThan(total / 2);
    tcp.resume();
    await expect.poll(() => taken).toBe(total);
  });
});
