import { DEFAULT_LIMITS, type UsageLimits } from "@tierkeep/schema/domain/limits";
import { Refused } from "@tierkeep/schema/domain/refusals";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { handlerUnderTest, withMethods } from "../../../testing/http/handler-under-test.ts";
import { Usage } from "./usage.ts";

const ONE = { kind: "principal", name: "one" } as const;
const TWO = { kind: "principal", name: "two" } as const;

const LIMITS: UsageLimits = {
  requestsPerSecond: 10,
  burst: 5,
  failedAttemptsPerMinute: 600,
  maxRequestsPerPrincipal: 1_000,
  maxSubscriptionsPerPrincipal: 2,
  maxSubscriptions: 3,
  maxHeldBytes: 0,
};

function refusalOf(act: () => unknown): Refused | null {
  try {
    act();
    return null;
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
}

describe("the request rate", () => {
  it("allows the first request at any time, even with a burst of one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), fc.integer({ min: 1, max: 1e6 }), (thousandths, rate) => {
        const usage = new Usage(
          { ...LIMITS, requestsPerSecond: rate / 1000, burst: 1 },
          () => thousandths / 1000,
        );
        const begin = () => refusalOf(() => usage.begin(ONE)());
        expect(begin()).toBeNull();
        expect(begin()).toMatchObject({ code: "RATE_LIMITED" });
      }),
    );
  });

  it("allows a burst, then the even rate, and says when to retry", () => {
    let now = 1_000;
    const usage = new Usage(LIMITS, () => now);
    const begin = () => refusalOf(() => usage.begin(ONE)());
    for (let n = 0; n < 5; n += 1) expect(begin()).toBeNull();
    expect(begin()).toMatchObject({ code: "RATE_LIMITED", facts: { retryAfterSeconds: 0.1 } });
    now += 60;
    expect(begin()).toMatchObject({ facts: { retryAfterSeconds: 0.04 } });
    now += 40;
    expect(begin()).toBeNull();
    expect(begin()).not.toBeNull();
    now += 60_000;
    for (let n = 0; n < 5; n += 1) expect(begin()).toBeNull();
    expect(begin()).not.toBeNull();
  });

  it("is separate for each principal", () => {
    const usage = new Usage(LIMITS, () => 0);
    for (let n = 0; n < 6; n += 1) refusalOf(() => usage.begin(ONE));
    expect(refusalOf(() => usage.begin(TWO))).toBeNull();
  });

  it("never exceeds burst and rate, and never refuses a principal that respects them", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 60 }), (pauses) => {
        let now = 0;
        let accepted = 0;
        const usage = new Usage(LIMITS, () => now);
        for (const ms of pauses) {
          now += ms;
          const refused = refusalOf(() => usage.begin(ONE)());
          if (refused === null) accepted += 1;
          else {
            now += Math.ceil((refused.facts.retryAfterSeconds ?? 0) * 1_000);
            expect(refusalOf(() => usage.begin(ONE)())).toBeNull();
            accepted += 1;
          }
          expect(accepted).toBeLessThanOrEqual(5 + (now / 1_000) * 10 + 1e-6);
        }
      }),
    );
  });
});

describe("requests in progress", () => {
  it("are limited per principal, and free their slot at the end", () => {
    const usage = new Usage({ ...LIMITS, requestsPerSecond: null, maxRequestsPerPrincipal: 2 });
    const end = usage.begin(ONE);
    usage.begin(ONE);
    expect(refusalOf(() => usage.begin(ONE))).toMatchObject({ code: "RATE_LIMITED" });
    expect(refusalOf(() => usage.begin(TWO))).toBeNull();
    end();
    expect(refusalOf(() => usage.begin(ONE))).toBeNull();
    expect(usage.requests).toBe(3);
  });

  it("are limited for subscriptions, per principal and in total", () => {
    const usage = new Usage(LIMITS);
    const end = usage.subscribe(ONE);
    usage.subscribe(ONE);
    expect(refusalOf(() => usage.subscribe(ONE))?.message).toMatch(/You have 2 open/);
    usage.subscribe(TWO);
    expect(refusalOf(() => usage.subscribe(TWO))?.message).toMatch(/The server/);
    end();
    expect(refusalOf(() => usage.subscribe(TWO))).toBeNull();
    expect(usage.subscriptions).toBe(3);
  });
});

const FOLLOW = "subscription { lifecycleEvents { id } }";

describe("Usage over HTTP", () => {
  it("refuses any request with 429, Retry-After and a code, without reading its body", async () => {
    let reads = 0;
    await using under = await handlerUnderTest({
      limits: { usage: { ...DEFAULT_LIMITS.usage, requestsPerSecond: 0.01, burst: 1 } },
      replace: ({ artifacts }) => ({
        artifacts: withMethods(artifacts, {
          getMany: async () => {
            reads += 1;
            return [];
          },
        }),
      }),
    });
    expect((await under.graphql("{ viewer { actor } }")).status).toBe(200);
    const graphql = await under.graphql(
      `{ artifact(tenantId: "a", workflowId: "b", artifactId: "c") { id } }`,
    );
    const body = new ReadableStream(
      {
        pull() {
          throw new Error("the body was read");
        },
      },
      { highWaterMark: 0 },
    );
    const put = await under.request("/artifacts/a/b/c", { method: "PUT", body });
    for (const response of [graphql, put]) {
      expect(response.status).toBe(429);
      expect(Number(response.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    }
    const { errors } = (await graphql.json()) as { errors: { extensions: Record<string, unknown> }[] };
    expect(errors[0]?.extensions).toMatchObject({
      code: "RATE_LIMITED",
      retryAfterSeconds: expect.any(Number),
    });
    expect(await put.json()).toMatchObject({ code: "RATE_LIMITED", retryAfterSeconds: expect.any(Number) });
    expect(reads).toBe(0);
    // Health probes still work.
    expect((await under.request("/healthz")).status).toBe(200);
  });

  it("counts subscriptions over SSE and WebSockets together, and frees their slots", async () => {
    await using under = await handlerUnderTest({
      limits: { usage: { ...DEFAULT_LIMITS.usage, maxSubscriptionsPerPrincipal: 2 } },
    });
    const sse = () => under.graphql(FOLLOW, {}, { accept: "text/event-stream" });
    const first = await sse();
    const { url } = await under.listen();
    const socket = new WebSocket(url.replace("http", "ws"), "graphql-transport-ws");
    const messages: { id?: string; type: string; payload?: { extensions: { code: string } }[] }[] = [];
    socket.on("message", (data) => messages.push(JSON.parse(String(data))));
    await new Promise((resolve) => socket.once("open", resolve));
    const say = (message: unknown) => socket.send(JSON.stringify(message));
    say({ type: "connection_init" });
    await expect.poll(() => messages.length).toBe(1);
    say({ id: "1", type: "subscribe", payload: { query: FOLLOW } });
    const gauge = async () =>
      Number(/^tierkeep_subscriptions (\d+)$/m.exec(await (await under.request("/metrics")).text())?.[1]);
    await expect.poll(gauge).toBe(2);

    say({ id: "2", type: "subscribe", payload: { query: FOLLOW } });
    await expect.poll(() => messages.length).toBeGreaterThanOrEqual(2);
    expect(messages[1]).toMatchObject({ id: "2" });
    expect(JSON.stringify(messages[1])).toContain("RATE_LIMITED");
    expect(await (await sse()).text()).toContain("RATE_LIMITED");

    await first.body?.cancel();
    await expect.poll(gauge).toBe(1);
    socket.terminate();
    await expect.poll(gauge).toBe(0);
    const metrics = await (await under.request("/metrics")).text();
    expect(metrics).toMatch(/^tierkeep_requests_under_way 0$/m);
  });

  it("closes a WebSocket over the limit with a reason; a later one succeeds", async () => {
    await using under = await handlerUnderTest({
      limits: { usage: { ...DEFAULT_LIMITS.usage, maxRequestsPerPrincipal: 1 } },
    });
    const { url } = await under.listen();
    const open = async () => {
      const socket = new WebSocket(url.replace("http", "ws"), "graphql-transport-ws");
      await new Promise((resolve) => socket.once("open", resolve));
      socket.send('{"type":"connection_init"}');
      return await new Promise<[WebSocket, string]>((resolve) => {
        socket.once("message", (data) => resolve([socket, String(data)]));
        socket.once("close", (code) => resolve([socket, String(code)]));
      });
    };
    const [first, said] = await open();
    expect(said).toContain("connection_ack");
    expect((await open())[1]).toBe("1013");
    first.terminate();
    await expect.poll(async () => (await open())[1]).toContain("connection_ack");
  });
});
