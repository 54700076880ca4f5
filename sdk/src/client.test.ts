import { readFileSync } from "node:fs";
import { buildSchema, type GraphQLEnumType } from "graphql";
import { describe, expect, it, vi } from "vitest";
import { createTierkeep } from "./client.ts";
import { AbortError, ConnectionError, TierkeepError, TimeoutError } from "./errors.ts";
import * as classes from "./generated/errors.ts";
import { ArtifactNotFoundError, ConflictError, UnauthenticatedError } from "./generated/errors.ts";

const url = "http://tierkeep.test/graphql";
const key = { tenantId: "acme", workflowId: "weekly", artifactId: "report.md" };

/** Returns a client whose server gives this response to every request, and the requests. */
function clientOf(
  answer: (request: Request) => Response | Promise<Response>,
  options: {
    token?: string | (() => string);
    headers?: HeadersInit;
    timeoutMs?: number;
    signal?: AbortSignal;
  } = {},
) {
  const requests: Request[] = [];
  const tierkeep = createTierkeep({
    url,
    retries: 0,
    ...options,
    fetch: async (address, init) => {
      const request = new Request(address, init);
      requests.push(request.clone());
      return answer(request);
    },
  });
  return { tierkeep, requests };
}

const refusing = (extensions: Record<string, unknown>, message = "No.") =>
  Response.json({ data: { artifact: null }, errors: [{ message, extensions }] });

function codesOfSchema(): string[] {
  const text = readFileSync(new URL("../../schema/schema.graphql", import.meta.url), "utf8");
  const type = buildSchema(text).getType("ErrorCode") as GraphQLEnumType;
  return type.getValues().map(({ name }) => name);
}

const unauthenticated = () =>
  Response.json({ errors: [{ message: "No.", extensions: { code: "UNAUTHENTICATED" } }] }, { status: 401 });

const never = () => new Promise<Response>(() => {});

describe("a method", () => {
  it("sends its operation with flat arguments, and returns the selected field", async () => {
    const { tierkeep, requests } = clientOf(() => Response.json({ data: { artifact: { tier: "HOT" } } }));
    await expect(tierkeep.artifact(key)).resolves.toEqual({ tier: "HOT" });
    const body = await requests[0]?.json();
    expect(body).toMatchObject({ operationName: "Artifact", variables: key });
    expect(body.query).toMatch(/^query Artifact\(/);
  });

  it("accepts a mutation's input directly, and returns its payload", async () => {
    const payload = { created: true, artifact: { tier: "HOT" } };
    const { tierkeep, requests } = clientOf(() => Response.json({ data: { writeArtifact: payload } }));
    await expect(tierkeep.writeArtifact({ ...key, content: { text: "hi" } })).resolves.toEqual(payload);
    expect(await requests[0]?.json()).toMatchObject({
      variables: { input: { ...key, content: { text: "hi" } } },
    });
  });

  it("returns null if an object on the path is missing", async () => {
    const { tierkeep } = clientOf(() => Response.json({ data: { tenant: null } }));
    await expect(tierkeep.workflow(key)).resolves.toBeNull();
  });

  it("sends the token and headers; a call's headers override the client's", async () => {
    const { tierkeep, requests } = clientOf(() => Response.json({ data: { tierStats: [] } }), {
      token: () => "t0ken",
      headers: { "x-one": "client", "x-two": "client" },
    });
    await tierkeep.tierStats({}, { headers: { "x-two": "call" } });
    const headers = Object.fromEntries(requests[0]?.headers ?? []);
    expect(headers).toMatchObject({ authorization: "Bearer t0ken", "x-one": "client", "x-two": "call" });
  });

  it("gets a new token after the server rejects one, and sends it once", async () => {
    let given = 0;
    const taken = (request: Request) => request.headers.get("authorization") === "Bearer token 2";
    const { tierkeep, requests } = clientOf(
      (request) => (taken(request) ? Response.json({ data: { tierStats: [] } }) : unauthenticated()),
      { token: () => `token ${++given}` },
    );
    await expect(tierkeep.tierStats({})).resolves.toEqual([]);
    expect(given).toBe(2);
    await expect(tierkeep.tierStats({})).rejects.toBeInstanceOf(UnauthenticatedError);
    expect(requests).toHaveLength(4);
    const bodies = await Promise.all(requests.slice(0, 2).map((request) => request.text()));
    expect(bodies[1]).toBe(bodies[0]);
  });

  it("does not send a rejected token again", async () => {
    for (const token of ["t0ken", () => "t0ken"]) {
      const { tierkeep, requests } = clientOf(unauthenticated, { token });
      await expect(tierkeep.tierStats({})).rejects.toBeInstanceOf(UnauthenticatedError);
      expect(requests).toHaveLength(1);
    }
  });
});

describe("a refusal", () => {
  it("is thrown as the class of its code, with its facts", async () => {
    const { tierkeep } = clientOf(() =>
      refusing(
        { code: "ARTIFACT_NOT_FOUND", requestId: "r1", argument: "input.fromTier", tier: "COLD" },
        "It is in COLD.",
      ),
    );
    const error = await tierkeep.artifact(key).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ArtifactNotFoundError);
    expect(error).toBeInstanceOf(TierkeepError);
    expect(error).toMatchObject({
      name: "ArtifactNotFoundError",
      message: "It is in COLD.",
      code: "ARTIFACT_NOT_FOUND",
      requestId: "r1",
      argument: "input.fromTier",
      tier: "COLD",
      outcome: undefined,
    });
  });

  it("includes checksum, jobId, retryAfterSeconds and outcome", async () => {
    const facts = { checksum: "c", jobId: "j", retryAfterSeconds: 2, outcome: "unknown" };
    const { tierkeep } = clientOf(() => refusing({ code: "CONFLICT", ...facts }));
    await expect(tierkeep.viewer()).rejects.toThrow(
      expect.objectContaining({ name: "ConflictError", ...facts }),
    );
    await expect(tierkeep.viewer()).rejects.toBeInstanceOf(ConflictError);
  });

  it.each(codesOfSchema())("%s has its own class, and is named after it", async (code) => {
    const { tierkeep } = clientOf(() => refusing({ code }));
    const error: Error = await tierkeep.viewer().catch((thrown) => thrown);
    const [first, ...others] = Object.entries(classes).filter(([, each]) => error instanceof each);
    const [name = "", found] = first ?? [];
    expect(others).toEqual([]);
    expect(error).toMatchObject({ code, name });
    expect(found?.name).toBe(name);
    expect(name.replace(/Error$/, "").toLowerCase()).toBe(code.replaceAll("_", "").toLowerCase());
  });

  it("can be constructed by a user's test", () => {
    const error = new ConflictError("CONFLICT", "Busy.", { jobId: "j1" });
    expect(error).toBeInstanceOf(ConflictError);
    expect(error).toBeInstanceOf(TierkeepError);
    expect(error).not.toBeInstanceOf(ArtifactNotFoundError);
    expect(error).toMatchObject({ name: "ConflictError", message: "Busy.", jobId: "j1" });
  });

  it.each(["FROM_THE_FUTURE", "constructor", "__proto__"])(
    "with the unknown code %s is a TierkeepError, but an instance of no code's class",
    async (code) => {
      const { tierkeep } = clientOf(() => refusing({ code }));
      const error = await tierkeep.viewer().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(TierkeepError);
      expect(error).toMatchObject({ code });
      for (const each of Object.values(classes)) expect(error).not.toBeInstanceOf(each);
    },
  );

  it("is read from problem+json with an HTTP error status", async () => {
    const { tierkeep } = clientOf(() =>
      Response.json(
        { title: "Unauthenticated", detail: "Say who you are.", code: "UNAUTHENTICATED", requestId: "r2" },
        { status: 401 },
      ),
    );
    const error = await tierkeep.viewer().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnauthenticatedError);
    expect(error).toMatchObject({ message: "Say who you are.", requestId: "r2" });
  });

  it("is read from GraphQL errors with HTTP status 400", async () => {
    const { tierkeep } = clientOf(() =>
      Response.json(
        { errors: [{ message: "?", extensions: { code: "GRAPHQL_PARSE_FAILED" } }] },
        { status: 400 },
      ),
    );
    await expect(tierkeep.viewer()).rejects.toMatchObject({ code: "GRAPHQL_PARSE_FAILED" });
  });
});

describe("without a response of the server", () => {
  it("a failed connection is a ConnectionError with its cause, and the system's code in its message", async () => {
    const refused = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
    const cause = new TypeError("fetch failed", { cause: refused });
    const { tierkeep } = clientOf(() => Promise.reject(cause));
    const error = await tierkeep.viewer().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ cause, message: "The connection to the server failed (ECONNREFUSED)." });
  });

  it.each([
    ["a proxy's page", () => new Response("<h1>Bad gateway</h1>", { status: 502 }), 502],
    ["a page in place of JSON", () => new Response("<h1>Welcome</h1>"), 200],
    ["JSON of another server", () => Response.json({ ok: true }), 200],
    ["an error as JSON of another server", () => Response.json({ code: 7 }, { status: 500 }), 500],
  ])("%s is a ConnectionError with its status", async (_, answer, status) => {
    const { tierkeep } = clientOf(answer);
    const error = await tierkeep.viewer().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ status });
  });

  it("a mutation with neither a payload nor an error is a ConnectionError", async () => {
    const { tierkeep } = clientOf(() => Response.json({ data: { cancelJob: null } }));
    await expect(tierkeep.cancelJob({ id: "j" })).rejects.toBeInstanceOf(ConnectionError);
  });

  it("a call that takes longer than timeoutMs is a TimeoutError, even if fetch ignores the signal", async () => {
    const { tierkeep } = clientOf(never, { timeoutMs: 5 });
    const error = await tierkeep.viewer().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ timeoutMs: 5 });
    await expect(tierkeep.viewer({ timeoutMs: 6 })).rejects.toMatchObject({ timeoutMs: 6 });
  });

  it("the timeout includes reading the body", async () => {
    const stalled = () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) }));
    const { tierkeep } = clientOf(stalled);
    await expect(tierkeep.viewer({ timeoutMs: 5 })).rejects.toBeInstanceOf(TimeoutError);
  });

  it("an abort of the call's or the client's signal is an AbortError with the reason as its cause", async () => {
    const [ofCall, ofClient] = [new AbortController(), new AbortController()];
    const { tierkeep } = clientOf(never, { signal: ofClient.signal });
    const one = tierkeep.viewer({ signal: ofCall.signal });
    ofCall.abort("enough");
    await expect(one).rejects.toBeInstanceOf(AbortError);
    await expect(one).rejects.toMatchObject({ name: "AbortError", cause: "enough" });
    const other = tierkeep.viewer();
    ofClient.abort();
    await expect(other).rejects.toBeInstanceOf(AbortError);
    await expect(tierkeep.viewer()).rejects.toBeInstanceOf(AbortError);
  });

  it("leaves no timer running", async () => {
    vi.useFakeTimers();
    try {
      const { tierkeep } = clientOf(() => Response.json({ data: { viewer: {} } }));
      await tierkeep.viewer();
      await clientOf(() => Promise.reject(new TypeError("no")))
        .tierkeep.viewer()
        .catch(() => {});
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("secrets", () => {
  const secret = "hun\nhunter2";
  const everythingIn = (error: unknown): string =>
    error instanceof Error ? `${error.message} ${error.stack} ${everythingIn(error.cause)}` : String(error);

  it("are not in the error for a token that cannot be sent", async () => {
    const { tierkeep } = clientOf(never, { token: secret });
    const error = await tierkeep.viewer().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect(everythingIn(error)).not.toContain("hunter2");
  });

  it("are not in the error for a header that cannot be sent", async () => {
    const { tierkeep } = clientOf(never);
    const error = await tierkeep
      .viewer({ headers: { "x-key": `a\n${secret}b` } })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect(everythingIn(error)).not.toContain("hunter2");
  });

  it("are not in the error for a url with credentials", () => {
    let error: unknown;
    try {
      createTierkeep({ url: "http://me:hunter2@tierkeep.test/graphql" });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(TypeError);
    expect(everythingIn(error)).not.toContain("hunter2");
  });
});

describe("exists", () => {
  it.each([
    [{ artifactId: "report.md" }, true],
    [null, false],
  ])("is derived from the artifact %j", async (artifact, exists) => {
    const { tierkeep } = clientOf(() => Response.json({ data: { artifact } }));
    await expect(tierkeep.exists(key)).resolves.toBe(exists);
  });
});

describe("a signed URL", () => {
  it.each([
    ["/artifacts/a/b/c?signed=x", "https://store.test/artifacts/a/b/c?signed=x"],
    ["https://other.test/artifacts/a/b/c?signed=x", "https://other.test/artifacts/a/b/c?signed=x"],
  ])("of %s is returned as an absolute URL", async (url, absolute) => {
    const tierkeep = createTierkeep({
      url: "https://store.test/graphql",
      fetch: async () =>
        Response.json({ data: { signedDownloadUrl: { url, expiresAt: "2026-01-01T00:00:00Z" } } }),
    });
    const key = { tenantId: "a", workflowId: "b", artifactId: "c" };
    await expect(tierkeep.signedDownloadUrl({ key })).resolves.toMatchObject({ url: absolute });
  });
});
