import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createTierkeep } from "./client.ts";
import { AbortError, ConnectionError, TimeoutError } from "./errors.ts";
import { RateLimitedError } from "./generated/errors.ts";
import { delayAfter } from "./repeat.ts";

const url = "http://tierkeep.test/graphql";
const key = { tenantId: "acme", workflowId: "weekly", artifactId: "report.md" };

type Answer = () => Response | Promise<Response>;

const broken: Answer = () => Promise.reject(new TypeError("fetch failed"));
const refused =
  (code: string, facts: object = {}): Answer =>
  () =>
    Response.json({ data: null, errors: [{ message: "No.", extensions: { code, ...facts } }] });
const fine: Answer = () => Response.json({ data: { viewer: { actor: "ada" }, anything: 1 } });

/**
 * Returns a client whose server gives these responses in turn and then repeats the last one, and the
 * requests.
 */
function clientOf(answers: readonly Answer[], options: { retries?: number } = {}) {
  const requests: Request[] = [];
  const tierkeep = createTierkeep({
    url,
    ...options,
    fetch: async (address, init) => {
      requests.push(new Request(address, init));
      return await (answers[requests.length - 1] ?? answers.at(-1) ?? fine)();
    },
  });
  return { tierkeep, requests };
}

/** Returns the outcome of `call`, with every delay skipped, and the total of the delays in ms. */
async function outcomeOf(call: Promise<unknown>) {
  const start = Date.now();
  let settled = false;
  const outcome = call.catch((error: unknown) => error).finally(() => (settled = true));
  while (!settled) await vi.advanceTimersByTimeAsync(50);
  return { outcome: await outcome, pausedMs: Date.now() - start };
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("a query", () => {
  it.each([
    ["its connection fails", broken],
    ["a proxy responds with an error", () => new Response("Bad gateway", { status: 502 })],
    ["it is rejected with RATE_LIMITED", refused("RATE_LIMITED")],
    ["it is rejected with UNAVAILABLE", refused("UNAVAILABLE")],
    ["it is rejected with TIER_UNAVAILABLE", refused("TIER_UNAVAILABLE")],
  ])("is retried when %s", async (_, failure) => {
    const { tierkeep, requests } = clientOf([failure, failure, fine]);
    const { outcome } = await outcomeOf(tierkeep.viewer());
    expect(outcome).toEqual({ actor: "ada" });
    expect(requests).toHaveLength(3);
  });

  it.each([
    ["it is rejected permanently", refused("FORBIDDEN")],
    ["it is rejected with an unknown code", refused("FROM_THE_FUTURE")],
    ["another server responds", () => new Response("Not found", { status: 404 })],
  ])("is not retried when %s", async (_, failure) => {
    const { tierkeep, requests } = clientOf([failure, fine]);
    const { outcome } = await outcomeOf(tierkeep.viewer());
    expect(outcome).toBeInstanceOf(Error);
    expect(requests).toHaveLength(1);
  });

  it("is retried 3 times, or as often as the client's or the call's `retries`, and then throws the last error", async () => {
    const standard = clientOf([broken]);
    expect((await outcomeOf(standard.tierkeep.viewer())).outcome).toBeInstanceOf(ConnectionError);
    expect(standard.requests).toHaveLength(4);
    const custom = clientOf([broken], { retries: 1 });
    await outcomeOf(custom.tierkeep.viewer());
    expect(custom.requests).toHaveLength(2);
    await outcomeOf(custom.tierkeep.viewer({ retries: 0 }));
    expect(custom.requests).toHaveLength(3);
  });

  it("waits for the server's retryAfterSeconds", async () => {
    const { tierkeep } = clientOf([refused("RATE_LIMITED", { retryAfterSeconds: 7 }), fine]);
    const { outcome, pausedMs } = await outcomeOf(tierkeep.viewer());
    expect(outcome).toEqual({ actor: "ada" });
    expect(pausedMs).toBeGreaterThanOrEqual(7_000);
  });

  it("throws the refusal immediately if retryAfterSeconds exceeds the timeout", async () => {
    const { tierkeep, requests } = clientOf([refused("RATE_LIMITED", { retryAfterSeconds: 91 })]);
    const { outcome } = await outcomeOf(tierkeep.viewer());
    expect(outcome).toBeInstanceOf(RateLimitedError);
    expect(requests).toHaveLength(1);
  });

  it("has one timeoutMs for all retries together", async () => {
    const { tierkeep } = clientOf([broken, () => new Promise(() => {})]);
    const { outcome, pausedMs } = await outcomeOf(tierkeep.viewer({ timeoutMs: 2_000 }));
    expect(outcome).toBeInstanceOf(TimeoutError);
    expect(pausedMs).toBeLessThan(2_100);
  });

  it("can be aborted while it waits for a retry", async () => {
    const { tierkeep, requests } = clientOf([refused("UNAVAILABLE", { retryAfterSeconds: 60 })]);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    const { outcome } = await outcomeOf(tierkeep.viewer({ signal: controller.signal }));
    expect(outcome).toBeInstanceOf(AbortError);
    expect(requests).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a mutation method", () => {
  const purged: Answer = () => Response.json({ data: { purgeArtifact: { sizeBytes: 2 } } });

  it("is retried with an identical body and a generated key", async () => {
    const { tierkeep, requests } = clientOf([broken, refused("UNAVAILABLE"), purged]);
    const { outcome } = await outcomeOf(tierkeep.purgeArtifact(key));
    expect(outcome).toEqual({ sizeBytes: 2 });
    const bodies = await Promise.all(requests.map((request) => request.text()));
    expect(new Set(bodies).size).toBe(1);
    expect(JSON.parse(bodies[0] ?? "").variables.input).toEqual({
      ...key,
      idempotencyKey: expect.stringMatching(/^[\x21-\x7e]{16,200}$/),
    });
    await tierkeep.purgeArtifact(key);
    expect(await requests[3]?.text()).not.toBe(bodies[0]);
  });

  it("uses a given idempotency key", async () => {
    const { tierkeep, requests } = clientOf([purged]);
    await tierkeep.purgeArtifact({ ...key, idempotencyKey: "mine" });
    expect(await requests[0]?.json()).toMatchObject({ variables: { input: { idempotencyKey: "mine" } } });
  });
});

describe("a mutation sent with request()", () => {
  const mutation = "mutation M($input: In!) { anything(input: $input) }";

  it("is not retried without an idempotency key", async () => {
    const { tierkeep, requests } = clientOf([broken]);
    await outcomeOf(tierkeep.request(mutation, { input: { id: "j" } }));
    expect(requests).toHaveLength(1);
  });

  it("is retried with an identical body if it has an idempotency key", async () => {
    const { tierkeep, requests } = clientOf([broken, fine]);
    await outcomeOf(tierkeep.request(mutation, { input: { id: "j", idempotencyKey: "k1" } }));
    expect(requests).toHaveLength(2);
    const [first, second] = await Promise.all(requests.map((request) => request.text()));
    expect(first).toContain('"idempotencyKey":"k1"');
    expect(second).toBe(first);
  });
});

describe("an upload", () => {
  const written: Answer = () => Response.json({ created: true, artifact: { sizeBytes: 2 } });

  it.each([
    ["text", "hi"],
    ["bytes", new Uint8Array([104, 105])],
    ["a Blob", new Blob(["hi"])],
  ])("of %s is retried completely, with one idempotency key", async (_, content) => {
    const { tierkeep, requests } = clientOf([broken, written]);
    const { outcome } = await outcomeOf(tierkeep.upload(key, content));
    expect(outcome).toMatchObject({ created: true });
    expect(await Promise.all(requests.map((request) => request.text()))).toEqual(["hi", "hi"]);
    const [first, second] = requests.map((request) => request.headers.get("idempotency-key"));
    expect(first).toMatch(/^[\x21-\x7e]{16,200}$/);
    expect(second).toBe(first);
  });

  it("uses a new key each time, or a given key", async () => {
    const { tierkeep, requests } = clientOf([written]);
    await tierkeep.upload(key, "hi");
    await tierkeep.upload(key, "hi");
    await tierkeep.upload(key, "hi", { idempotencyKey: "mine" });
    const keys = requests.map((request) => request.headers.get("idempotency-key"));
    expect(new Set(keys).size).toBe(3);
    expect(keys[2]).toBe("mine");
  });

  it("of a stream is not retried, because the stream cannot be read again", async () => {
    const { tierkeep, requests } = clientOf([broken, written]);
    const { outcome } = await outcomeOf(tierkeep.upload(key, new Blob(["hi"]).stream()));
    expect(outcome).toBeInstanceOf(ConnectionError);
    expect(requests).toHaveLength(1);
  });
});

describe("a download", () => {
  it("is retried until its first bytes arrive", async () => {
    const { tierkeep, requests } = clientOf([
      broken,
      () => Response.json({ code: "TIER_UNAVAILABLE" }, { status: 503 }),
      fine,
    ]);
    await outcomeOf(tierkeep.download(key));
    expect(requests).toHaveLength(3);
  });
});

describe("delayAfter", () => {
  it("doubles from about 250 ms to at most 15 s, and half of it is random", () => {
    for (let failures = 0; failures < 12; failures += 1) {
      const longest = Math.min(15_000, 250 * 2 ** failures);
      const delays = Array.from({ length: 50 }, () => delayAfter(failures, null));
      expect(Math.min(...delays)).toBeGreaterThanOrEqual(longest / 2);
      expect(Math.max(...delays)).toBeLessThanOrEqual(longest);
      expect(new Set(delays).size).toBeGreaterThan(1);
    }
  });
});
