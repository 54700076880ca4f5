import { DEFAULT_LIMITS } from "@tierkeep/schema/domain/limits";
import { Refused } from "@tierkeep/schema/domain/refusals";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { type HandlerUnderTest, handlerUnderTest } from "../../../testing/http/handler-under-test.ts";
import { authenticator } from "../auth/authenticate.ts";
import { lasting, unauthenticated } from "../auth/credentials.ts";
import { FailedAttempts, failedAttemptsMetrics } from "./failed-attempts.ts";

const ADDRESS = "192.0.2.1";
const good = async () => "admin";
const bad = async (): Promise<string> => {
  throw unauthenticated("wrong");
};

/** Returns attempts with a limit and a clock (ms), and a function that makes one attempt. */
function attemptsOf(failedAttemptsPerMinute: number | null) {
  const clock = { now: 5_000 };
  const attempts = new FailedAttempts({ failedAttemptsPerMinute }, () => clock.now);
  /** Makes one attempt. Resolves with the code of its refusal; null: it succeeded. */
  const tried = async (
    authenticate: () => Promise<unknown>,
    address: string | null = ADDRESS,
    credential = "x",
  ) =>
    attempts.attempt(address, credential, authenticate).then(
      () => null,
      (error: Refused) => error.code,
    );
  return { clock, attempts, tried };
}

describe("FailedAttempts", () => {
  it("checks attempts up to the limit, then refuses without checking until the rate allows one more", async () => {
    const { clock, attempts, tried } = attemptsOf(60);
    const check = vi.fn(bad);
    for (let n = 0; n < 60; n += 1) expect(await tried(check)).toBe("UNAUTHENTICATED");
    await expect(attempts.attempt(ADDRESS, "x", check)).rejects.toMatchObject({
      code: "RATE_LIMITED",
      facts: { retryAfterSeconds: 1 },
    });
    clock.now += 999;
    expect(await tried(check)).toBe("RATE_LIMITED");
    clock.now += 1;
    expect(await tried(check)).toBe("UNAUTHENTICATED");
    expect(await tried(check)).toBe("RATE_LIMITED");
    expect(check).toHaveBeenCalledTimes(61);
    expect(failedAttemptsMetrics(attempts).map(({ value }) => value)).toEqual([61, 3]);
  });

  it("never allows more failures than the rate, whenever the attempts are made", async () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 4_000 }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(pauses, fc.integer({ min: 1, max: 100 }), async (each, perMinute) => {
        const { clock, attempts, tried } = attemptsOf(perMinute);
        const start = clock.now;
        for (const ms of each) {
          clock.now += ms;
          await tried(bad);
          const allowed = perMinute + ((clock.now - start) / 60_000) * perMinute;
          expect(attempts.failed).toBeLessThanOrEqual(allowed + 1e-6);
        }
      }),
    );
  });

  it("makes a client wait until the next allowed attempt, however many attempts failed concurrently", async () => {
    const { attempts, tried } = attemptsOf(6);
    const failing = Promise.withResolvers<string>();
    const together = Array.from({ length: 100 }, () => tried(() => failing.promise));
    failing.reject(unauthenticated("wrong"));
    expect(new Set(await Promise.all(together))).toEqual(new Set(["UNAUTHENTICATED"]));
    await expect(attempts.attempt(ADDRESS, "x", good)).rejects.toMatchObject({
      facts: { retryAfterSeconds: 10 },
    });
  });

  it("counts only attempts that were refused because of their credentials", async () => {
    const { attempts, tried } = attemptsOf(1);
    const unavailable = async () => {
      throw new Refused("UNAVAILABLE", "The keys are not available.");
    };
    for (let n = 0; n < 10; n += 1) {
      expect(await tried(good)).toBeNull();
      expect(await tried(unavailable)).toBe("UNAVAILABLE");
    }
    expect(attempts.failed).toBe(0);
    expect(await tried(bad)).toBe("UNAUTHENTICATED");
    expect(await tried(bad)).toBe("RATE_LIMITED");
  });

  it("keeps accepting previously valid credentials until they become invalid", async () => {
    const { tried } = attemptsOf(1);
    expect(await tried(good, "198.51.100.1", "known")).toBeNull();
    await tried(bad);
    expect(await tried(good, ADDRESS, "new")).toBe("RATE_LIMITED");
    expect(await tried(good, ADDRESS, "known")).toBeNull();
    expect(await tried(bad, ADDRESS, "known")).toBe("UNAUTHENTICATED");
    expect(await tried(good, ADDRESS, "known")).toBe("RATE_LIMITED");
  });

  it.each([
    ["another IPv4 address", "192.0.2.1", "192.0.2.2", false],
    ["the same address as IPv4-mapped IPv6", "192.0.2.1", "::ffff:192.0.2.1", true],
    ["another address as IPv4-mapped IPv6", "::ffff:192.0.2.1", "::ffff:192.0.2.2", false],
    ["an IPv6 address of the same network", "2001:db8:1:2::1", "2001:db8:1:2:ffff:1:2:3", true],
    ["the same network with zeros in it", "2001:db8::1", "2001:db8:0:0:9::", true],
    ["an IPv6 address of another network", "2001:db8:1:2::1", "2001:db8:1:3::1", false],
    ["another IPv6 address of the same link", "fe80::1%eth0", "fe80::2%eth0", true],
    ["IPv4 and IPv6 loopback", "127.0.0.1", "::1", false],
  ])("counts per address, or per network for IPv6: %s", async (_what, first, second, together) => {
    const { tried } = attemptsOf(1);
    await tried(bad, first);
    expect(await tried(bad, first)).toBe("RATE_LIMITED");
    expect(await tried(bad, second)).toBe(together ? "RATE_LIMITED" : "UNAUTHENTICATED");
  });

  it("forgets the oldest addresses if too many have failures", async () => {
    const { tried } = attemptsOf(1);
    for (let n = 0; n < 10_000; n += 1) await tried(bad, `10.0.${n >> 8}.${n & 255}`);
    expect(await tried(bad, "10.0.0.0")).toBe("RATE_LIMITED");
    await tried(bad);
    // The address that tried again is now the latest.
    expect(await tried(bad, "10.0.0.0")).toBe("RATE_LIMITED");
    expect(await tried(bad, "10.0.0.1")).toBe("UNAUTHENTICATED");
  });

  it("has no limit without a socket or without a configured limit", async () => {
    const unlimited = attemptsOf(null);
    const limited = attemptsOf(1);
    for (let n = 0; n < 10; n += 1) {
      expect(await unlimited.tried(bad)).toBe("UNAUTHENTICATED");
      expect(await limited.tried(bad, null)).toBe("UNAUTHENTICATED");
    }
  });
});

const OWNER = "the-token-of-owner.json";
const SIGNED = "/artifacts/t/w/a?signed=forged.signature";
const POST = { method: "POST", body: '{"query":"{ viewer { actor } }"}' };

/**
 * Starts a server that allows one failed attempt per minute, and uses that attempt up. `check` counts checks
 * of keys and signatures.
 */
async function serverOverLimit() {
  const check = vi.fn();
  const world = await handlerUnderTest({
    limits: { usage: { ...DEFAULT_LIMITS.usage, failedAttemptsPerMinute: 1 } },
    authenticate: authenticator({
      ownerToken: OWNER,
      verifyKey: async (secret) => {
        check();
        return secret.startsWith("tk_good")
          ? lasting({ actor: secret, role: "READER", tenants: null })
          : null;
      },
      verifyJwt: async () => {
        check();
        throw unauthenticated("wrong");
      },
    }),
  });
  const { url } = await world.listen();
  const send = async (path: string, init: RequestInit = {}, token: string | null = null) => {
    const headers = new Headers({ "content-type": "application/json", ...(init.headers as object) });
    if (token !== null) headers.set("authorization", `Bearer ${token}`);
    return fetch(new URL(path, url), { ...init, headers });
  };
  expect((await send("/metrics", {}, "tk_good_known")).status).toBe(200);
  expect((await send("/metrics", {}, "a.b.c")).status).toBe(401);
  check.mockClear();
  return { world, url, send, check };
}

/** Resolves with the first message of a WebSocket, its close code, or the status of the refused upgrade. */
function webSocketOutcome(url: string, header: string | null, payload: object): Promise<number | string> {
  const headers = header === null ? {} : { authorization: `Bearer ${header}` };
  const socket = new WebSocket(url.replace("http", "ws"), "graphql-transport-ws", { headers });
  socket.on("open", () => socket.send(JSON.stringify({ type: "connection_init", payload })));
  return new Promise((resolve) => {
    socket.once("message", (data) => {
      socket.terminate();
      resolve(String(data));
    });
    socket.once("close", resolve);
    socket.once("unexpected-response", (_request, response) => {
      resolve(`${response.statusCode} after ${response.headers["retry-after"]}`);
      response.destroy();
    });
    socket.on("error", () => {});
  });
}

function lastLine({ logged }: HandlerUnderTest) {
  return logged.at(-1);
}

describe("an address over its limit of failed attempts", () => {
  it.each<[string, string, RequestInit]>([
    ["a query", "/graphql", POST],
    ["a query by GET", "/graphql?query={viewer{actor}}", {}],
    ["server-sent events", "/graphql", { ...POST, headers: { accept: "text/event-stream" } }],
    ["an upload", "/artifacts/t/w/a", { method: "PUT", body: "content" }],
    ["a download", "/artifacts/t/w/a", {}],
    ["the metrics", "/metrics", {}],
  ])("is refused with Retry-After and without a check: %s", async (_what, path, init) => {
    const { world, send, check } = await serverOverLimit();
    await using _world = world;
    for (const token of ["d.e.f", "tk_wrong", "tk_good_new", "no-token"]) {
      const response = await send(path, init, token);
      expect(response.status).toBe(429);
      expect(response.headers.get("retry-after")).toMatch(/^[1-9]\d?$/);
      const text = await response.text();
      for (const fact of ['"code":"RATE_LIMITED"', '"retryAfterSeconds":']) expect(text).toContain(fact);
    }
    expect(check).not.toHaveBeenCalled();
    expect(lastLine(world)).toMatchObject({
      code: "RATE_LIMITED",
      actor: "anonymous",
      reason: "failed attempts from 127.0.0.1",
    });
  });

  it("may still use signed URLs, and forged signatures do not count as failures", async () => {
    const { world, send } = await serverOverLimit();
    await using _world = world;
    for (const init of [{}, { method: "PUT", body: "content" }]) {
      for (let n = 0; n < 5; n += 1) expect((await send(SIGNED, init)).status).toBe(401);
    }
  });

  it("has its WebSockets closed, and upgrades with credentials refused", async () => {
    const { world, url, check } = await serverOverLimit();
    await using _world = world;
    expect(await webSocketOutcome(url, null, { authorization: "Bearer d.e.f" })).toBe(1013);
    expect(await webSocketOutcome(url, "d.e.f", {})).toMatch(/^429 after [1-9]/);
    expect(check).not.toHaveBeenCalled();
    expect(await webSocketOutcome(url, "tk_good_known", {})).toContain("connection_ack");
    expect(await webSocketOutcome(url, null, { authorization: "Bearer tk_good_known" })).toContain("ack");
  });

  it("may still use previously valid credentials, the owner's token, and requests without credentials", async () => {
    const { world, send } = await serverOverLimit();
    await using _world = world;
    for (let n = 0; n < 5; n += 1) expect((await send("/graphql", POST, "tk_bad")).status).toBe(429);
    expect((await send("/graphql", POST, "tk_good_known")).status).toBe(200);
    expect((await send("/graphql", POST, OWNER)).status).toBe(200);
    expect((await send("/metrics")).status).toBe(401);
    expect((await send("/healthz")).status).toBe(200);
  });
});
