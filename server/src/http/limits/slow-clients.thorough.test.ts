import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { DEFAULT_LIMITS } from "@tierkeep/schema/domain/limits";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HandlerUnderTest, handlerUnderTest } from "../../../testing/http/handler-under-test.ts";
import type { Listener } from "../node/listen.ts";

let under: HandlerUnderTest;
let listener: Listener;

beforeAll(async () => {
  under = await handlerUnderTest({
    limits: {
      connections: {
        ...DEFAULT_LIMITS.connections,
        maxConnections: 20,
        requestTimeoutMs: 1_000,
        idleTimeoutMs: 1_000,
      },
    },
  });
  listener = await under.listen();
});

afterAll(async () => {
  await under[Symbol.asyncDispose]();
});

interface Client extends Disposable {
  readonly socket: Socket;
  /** What the server has sent so far. */
  readonly said: string;
  readonly closed: Promise<void>;
}

function client(port = listener.port): Client {
  const socket = connect(port, "127.0.0.1");
  let said = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  return {
    socket,
    get said() {
      return said;
    },
    closed,
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** Sends one byte at a time until the other end closes. */
async function dribble({ socket, closed }: Client, text: string): Promise<void> {
  let open = true;
  void closed.then(() => (open = false));
  for (const character of text) {
    if (!open || socket.destroyed) break;
    socket.write(character);
    await pause(50);
  }
}

const head = (lines: string[]) => `${["host: localhost", ...lines].join("\r\n")}\r\n\r\n`;

describe("a client that", () => {
  it("sends nothing, or endless headers, gets 408 and is disconnected", async () => {
    using silent = client();
    using slow = client();
    void dribble(slow, `GET / HTTP/1.1\r\nhost: localhost\r\nx-slow: ${"x".repeat(2_000)}`);
    await Promise.all([silent.closed, slow.closed]);
    expect(slow.said).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("keeps sending data that is not HTTP gets one response and is disconnected, although it keeps its side open", async () => {
    await using patient = await handlerUnderTest();
    const { port } = await patient.listen();
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    let said = "";
    socket.on("data", (text) => {
      said += text;
    });
    socket.on("error", () => {});
    await expect
      .poll(
        () => {
          if (!socket.destroyed) socket.write("nonsense\r\n\r\n");
          return socket.destroyed;
        },
        { timeout: 20_000, interval: 10 },
      )
      .toBe(true);
    expect(said.match(/HTTP\/1\.1 400/g)).toHaveLength(1);
    expect(said).toMatch(/"code":"BAD_USER_INPUT".*\}$/);
  });

  it.each([
    ["an upload", "PUT /artifacts/a/b/slow HTTP/1.1", "408"],
    ["a GraphQL request", "POST /graphql HTTP/1.1", "4"],
  ])(
    "sends %s and stalls, or sends very slowly, is refused and disconnected, and nothing is written",
    async (_what, start, status) => {
      const headers = head(["content-type: application/json", "content-length: 100000"]);
      using silent = client();
      silent.socket.write(`${start}\r\n${headers}{"query":`);
      using slow = client();
      slow.socket.write(`${start}\r\n${headers}`);
      void dribble(slow, "x".repeat(2_000));
      await Promise.all([silent.closed, slow.closed]);
      for (const { said } of [silent, slow]) {
        expect(said).toMatch(new RegExp(`^HTTP/1\\.1 ${status}`));
        expect(said).toContain("BAD_USER_INPUT");
        expect(said.toLowerCase()).toContain("connection: close");
      }
      expect((await under.request("/artifacts/a/b/slow")).status).toBe(404);
    },
  );

  it("is slow but steady may take longer than that", async () => {
    using steady = client();
    const part = "x".repeat(8 * 1024);
    steady.socket.write(
      `PUT /artifacts/a/b/steady HTTP/1.1\r\n${head([`content-length: ${part.length * 10}`])}`,
    );
    for (let n = 0; n < 10; n += 1) {
      steady.socket.write(part);
      await pause(150);
    }
    await expect.poll(() => steady.said, { timeout: 20_000 }).toMatch(/^HTTP\/1\.1 201/);
  });

  it("does not read a response is disconnected", async () => {
    const bytes = new Uint8Array(32 * 1024 * 1024);
    await under.request("/artifacts/a/b/large", { method: "PUT", body: bytes });
    using stalled = client();
    stalled.socket.pause();
    stalled.socket.write(`GET /artifacts/a/b/large HTTP/1.1\r\n${head([])}`);
    const inProgress = async () =>
      Number(
        /^tierkeep_requests_under_way (\d+)$/m.exec(await (await under.request("/metrics")).text())?.[1],
      );
    await expect.poll(inProgress).toBe(1);
    await expect.poll(inProgress, { timeout: 30_000 }).toBe(0);
  });

  it("sends no further request on its connection is disconnected", async () => {
    using idle = client();
    idle.socket.write(`GET /healthz HTTP/1.1\r\n${head([])}`);
    await idle.closed;
    expect(idle.said).toMatch(/^HTTP\/1\.1 200/);
  });
});

it("a connection over the limit is closed immediately, and the others continue", async () => {
  await using few = await handlerUnderTest({
    limits: { connections: { ...DEFAULT_LIMITS.connections, maxConnections: 2 } },
  });
  const { port } = await few.listen();
  using one = client(port);
  using two = client(port);
  for (const { socket } of [one, two]) socket.write(`GET /healthz HTTP/1.1\r\n${head([])}`);
  await expect.poll(() => one.said !== "" && two.said !== "").toBe(true);
  using three = client(port);
  await three.closed;
  expect(three.said).toBe("");
  one.socket.write(`GET /healthz HTTP/1.1\r\n${head([])}`);
  await expect.poll(() => one.said.split("HTTP/1.1 200").length).toBe(3);
});
