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

/** A client of a server that gives these answers in turn, the last of them for ever, and the requests that it got. */
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

/** The outcome of `call`, with every pause skipped; and how long they were together, in ms. */
async function outcomeOf(call: Promise<unknown>) {
  const begun = Date.now();
  let settled = false;
  const outcome = call.catch((error: unknown) => error).finally(() => (settled = true));
  while (!settled) await vi.advanceTimersByTimeAsync(50);
  return { outcome: await outcome, pausedMs: Date.now() - begun };
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
    ["a proxy answers in the server's place", () => new Response("Bad gateway", { status: 502 })],
    ["it is RATE_LIMITED", refused("RATE_LIMITED")],
    ["the server is UNAVAILABLE", refused("UNAVAILABLE")],
    ["a tier is unavailable", refused("TIER_UNAVAILABLE")],
  ])("is repeated when %s", async (_, failure) => {
    const { tierkeep, requests } = clientOf([failure, failure, fine]);
    const { outcome } = await outcomeOf(tierkeep.viewer());
    expect(outcome).toEqual({ actor: "ada" });
    expect(requests).toHaveLength(3);
  });

  it.each([
    ["it is refused for good", refused("FORBIDDEN")],
    ["it is refused with a code from the future", refused("FROM_THE_FUTURE")],
    ["somebody answers who is no Tierkeep", () => new Response("Not found", { status: 404 })],
  ])("is not repeated when %s", async (_, failure) => {
    const { tierkeep, requests } = clientOf([failure, fine]);
    const { outcome } = await outcomeOf(tierkeep.viewer());
    expect(outcome).toBeInstanceOf(Error);
    expect(requests).toHaveLength(1);
  });

  it("is repeated 3 times, or as often as the client or the call says, and then fails with what it failed with last", async () => {
    const standard = clientOf([broken]);
    expect((await outcomeOf(standard.tierkeep.viewer())).outcome).toBeInstanceOf(ConnectionError);
    expect(standard.requests).toHaveLength(4);
    const custom = clientOf([broken], { retries: 1 });
    await outcomeOf(custom.tierkeep.viewer());
    expect(custom.requests).toHaveLength(2);
    await outcomeOf(custom.tierkeep.viewer({ retries: 0 }));
    expect(custom.requests).toHaveLength(3);
  });

  it("waits as long as the server asks", async () => {
    const { tierkeep } = clientOf([refused("RATE_LIMITED", { retryAfterSeconds: 7 }), fine]);
    const { outcome, pausedMs } = await outcomeOf(tierkeep.viewer());
    expect(outcome).toEqual({ actor: "ada" });
    expect(pausedMs).toBeGreaterThanOrEqual(7_000);
  });

  it("fails at once, and with the refusal, when the server asks for more time than it has", async () => {
    const { tierkeep, requests } = clientOf([refused("RATE_LIMITED", { retryAfterSeconds: 91 })]);
    const { outcome } = await outcomeOf(tierkeep.viewer());
    expect(outcome).toBeInstanceOf(RateLimitedError);
    expect(requests).toHaveLength(1);
  });

  it("has one timeoutMs for all its repeats together", async () => {
    const { tierkeep } = clientOf([broken, () => new Promise(() => {})]);
    const { outcome, pausedMs } = await outcomeOf(tierkeep.viewer({ timeoutMs: 2_000 }));
    expect(outcome).toBeInstanceOf(TimeoutError);
    expect(pausedMs).toBeLessThan(2_100);
  });

  it("can be aborted while it waits for its next turn", async () => {
    const { tierkeep, requests } = clientOf([refused("UNAVAILABLE", { retryAfterSeconds: 60 })]);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    const { outcome } = await outcomeOf(tierkeep.viewer({ signal: controller.signal }));
    expect(outcome).toBeInstanceOf(AbortError);
    expect(requests).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a mutation's method", () => {
  const purged: Answer = () => Response.json({ data: { purgeArtifact: { sizeBytes: 2 } } });

  it("is repeated, word for word, under a key of its own", async () => {
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

  it("goes under the key that it is given", async () => {
    const { tierkeep, requests } = clientOf([purged]);
    await tierkeep.purgeArtifact({ ...key, idempotencyKey: "mine" });
    expect(await requests[0]?.json()).toMatchObject({ variables: { input: { idempotencyKey: "mine" } } });
  });
});

describe("a mutation of one's own", () => {
  const mutation = "mutation M($input: In!) { anything(input: $input) }";

  it("is sent once when it has no idempotency key", async () => {
    const { tierkeep, requests } = clientOf([broken]);
    await outcomeOf(tierkeep.request(mutation, { input: { id: "j" } }));
    expect(requests).toHaveLength(1);
  });

  it("is repeated, word for word, when it has one", async () => {
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
  ])("of %s is repeated whole, under one idempotency key", async (_, content) => {
    const { tierkeep, requests } = clientOf([broken, written]);
    const { outcome } = await outcomeOf(tierkeep.upload(key, content));
    expect(outcome).toMatchObject({ created: true });
    expect(await Promise.all(requests.map((request) => request.text()))).toEqual(["hi", "hi"]);
    const [first, second] = requests.map((request) => request.headers.get("idempotency-key"));
    expect(first).toMatch(/^[\x21-\x7e]{16,200}$/);
    expect(second).toBe(first);
  });

  it("has a new key each time, or the one that it is given", async () => {
    const { tierkeep, requests } = clientOf([written]);
    await tierkeep.upload(key, "hi");
    await tierkeep.upload(key, "hi");
    await tierkeep.upload(key, "hi", { idempotencyKey: "mine" });
    const keys = requests.map((request) => request.headers.get("idempotency-key"));
    expect(new Set(keys).size).toBe(3);
    expect(keys[2]).toBe("mine");
  });

  it("of a stream is sent once: what has been read is gone", async () => {
    const { tierkeep, requests } = clientOf([broken, written]);
    const { outcome } = await outcomeOf(tierkeep.upload(key, new Blob(["hi"]).stream()));
    expect(outcome).toBeInstanceOf(ConnectionError);
    expect(requests).toHaveLength(1);
  });
});

describe("a download", () => {
  it("is repeated until its bytes begin", async () => {
    const { tierkeep, requests } = clientOf([
      broken,
      () => Response.json({ code: "TIER_UNAVAILABLE" }, { status: 503 }),
      fine,
    ]);
    await outcomeOf(tierkeep.download(key));
    expect(requests).toHaveLength(3);
  });
});

describe("the pause", () => {
  it("grows from about 250 ms by doubling to 15 s at most, half of it at random", () => {
    for (let failures = 0; failures < 12; failures += 1) {
      const longest = Math.min(15_000, 250 * 2 ** failures);
      const delays = Array.from({ length: 50 }, () => delayAfter(failures, null));
      expect(Math.min(...delays)).toBeGreaterThanOrEqual(longest / 2);
      expect(Math.max(...delays)).toBeLessThanOrEqual(longest);
      expect(new Set(delays).size).toBeGreaterThan(1);
    }
  });
});
