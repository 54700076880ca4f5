import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate as immediate } from "node:timers/promises";
import { DEFAULT_LIMITS } from "@tierkeep/schema/domain/limits";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { handlerUnderTest } from "../../../testing/http/handler-under-test.ts";
import type { Handler } from "../handler.ts";
import { STEP_SLICES } from "../limits/limits.ts";
import { listen } from "./listen.ts";

/** Blocks the event loop for `ms`. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** Counts calls of `work`: in total, and at most in one pass of the event loop. */
function callsPerPass() {
  let inThisPass = 0;
  let most = 0;
  let total = 0;
  let isDisposed = false;
  const pass = () => {
    inThisPass = 0;
    if (!isDisposed) setImmediate(pass);
  };
  pass();
  return {
    work() {
      inThisPass += 1;
      total += 1;
      most = Math.max(most, inThisPass);
      block(STEP_SLICES.arrivingMs / 2);
    },
    figures: () => ({ most, total }),
    [Symbol.dispose]() {
      isDisposed = true;
    },
  };
}

const LISTEN_OPTIONS = {
  host: "127.0.0.1",
  port: 0,
  maxInlineBytes: 1024,
  limits: DEFAULT_LIMITS.connections,
  log: pino({ enabled: false }),
};

const CLIENTS = 40;
const lines = (...head: string[]) => [...head, "host: localhost", "", ""].join("\r\n");
const UPGRADE = lines("GET /nothing HTTP/1.1", "connection: upgrade", "upgrade: websocket");

describe("a burst of 40 clients", () => {
  it.each([
    ["requests", "respond", lines("GET /healthz HTTP/1.1")],
    ["WebSocket handshakes", "refusalOf", UPGRADE],
    ["CONNECT requests", "openCall", lines("CONNECT a:1 HTTP/1.1")],
    ["input that is not HTTP", "openCall", "hello\r\n\r\n"],
  ] as const)("is handled in several passes of the event loop: %s", async (_, slow, text) => {
    await using world = await handlerUnderTest();
    using counted = callsPerPass();
    const method = (...args: never[]) => {
      counted.work();
      return (world.handler[slow] as (...args: never[]) => unknown)(...args);
    };
    const listener = await listen({ ...world.handler, [slow]: method }, LISTEN_OPTIONS);
    const sockets = Array.from({ length: CLIENTS }, () => connect(listener.port, "127.0.0.1"));
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    // The server accepts one connection in each pass.
    for (let pass = 0; pass < 2 * CLIENTS; pass += 1) await immediate();
    const answers = sockets.map((socket) => once(socket, "data"));
    for (const socket of sockets) socket.write(text);
    for (const [answer] of await Promise.all(answers)) expect(String(answer)).toMatch(/^HTTP\/1\.1 [24]/);
    for (const socket of sockets) socket.destroy();
    await listener.close(Date.now());
    const { most, total } = counted.figures();
    expect(total).toBe(CLIENTS);
    expect(most).toBeLessThanOrEqual(4);
  });
});

describe("a large response", () => {
  it("waits for a turn of its owner before each 64 KiB", async () => {
    await using world = await handlerUnderTest();
    let steps = 0;
    const step: Handler["step"] = (owner) => {
      steps += 1;
      return world.handler.step(owner);
    };
    const listener = await listen({ ...world.handler, step }, LISTEN_OPTIONS);
    const page = await fetch(`${new URL(listener.url).origin}/graphql`, {
      headers: { accept: "text/html", "accept-encoding": "identity" },
    });
    const { byteLength } = await page.arrayBuffer();
    expect(byteLength).toBeGreaterThan(1_000_000);
    expect(steps).toBeGreaterThanOrEqual(Math.floor(byteLength / 65_536));
    await listener.close(Date.now());
  });
});
