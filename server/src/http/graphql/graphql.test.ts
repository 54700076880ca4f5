import { DEFAULT_LIMITS } from "@tierkeep/schema/domain/limits";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { describe, expect, it } from "vitest";
import { handlerUnderTest, ORIGIN, withMethods } from "../../../testing/http/handler-under-test.ts";

const JSON_TYPE = "application/json";
const GRAPHQL_RESPONSE = "application/graphql-response+json";

/** Returns the code of a response's first error. Checks that the error has the response's request id. */
async function codeOf(response: Response): Promise<string> {
  const { errors } = (await response.json()) as {
    errors: { message: string; extensions: Record<string, unknown> }[];
  };
  expect(errors[0]?.extensions.requestId).toBe(response.headers.get("x-request-id"));
  expect(errors[0]?.message).toBeTruthy();
  expect(errors[0]?.extensions).not.toHaveProperty("http");
  return String(errors[0]?.extensions.code);
}

describe("GraphQL over HTTP", () => {
  it("responds to a POST, and to a query by GET", async () => {
    await using world = await handlerUnderTest();
    const post = await world.graphql("{ viewer { actor role } }");
    expect([post.status, await post.json()]).toEqual([
      200,
      { data: { viewer: { actor: "local", role: "ADMIN" } } },
    ]);
    const get = await world.request(`/graphql?query=${encodeURIComponent("{ viewer { tenants } }")}`);
    expect([get.status, await get.json()]).toEqual([200, { data: { viewer: { tenants: null } } }]);
  });

  it("responds in the requested media type", async () => {
    await using world = await handlerUnderTest();
    for (const type of [JSON_TYPE, GRAPHQL_RESPONSE]) {
      const response = await world.graphql("{ viewer { actor } }", {}, { accept: type });
      expect(response.headers.get("content-type")).toBe(`${type}; charset=utf-8`);
    }
    const weighted = await world.graphql(
      "{ viewer { actor } }",
      {},
      { accept: `${GRAPHQL_RESPONSE};q=0.5, ${JSON_TYPE}` },
    );
    expect(weighted.headers.get("content-type")).toContain(JSON_TYPE);
  });

  it("is 200 for every executed request, with a refusal's code and facts in extensions", async () => {
    await using world = await handlerUnderTest();
    for (const accept of [JSON_TYPE, GRAPHQL_RESPONSE]) {
      const response = await world.graphql(
        `mutation { promoteArtifact(input: { tenantId: ".", workflowId: "w", artifactId: "a", toTier: COLD }) { dryRun } }`,
        {},
        { accept },
      );
      expect(response.status).toBe(200);
      const body = (await response.json()) as { data: unknown; errors: [{ extensions: unknown }] };
      expect(body.data).toEqual({ promoteArtifact: null });
      expect(body.errors[0].extensions).toEqual({
        code: "INVALID_IDENTIFIER",
        requestId: response.headers.get("x-request-id"),
        argument: "input.tenantId",
      });
    }
  });

  it.each([
    ["GRAPHQL_PARSE_FAILED", "{ viewer {", {}],
    ["GRAPHQL_VALIDATION_FAILED", "{ nothing }", {}],
    ["BAD_USER_INPUT", "query ($tenantId: String!) { tenant(tenantId: $tenantId) { id } }", { tenantId: 7 }],
  ])(
    "responds to %s, which is not executed, with 200 as JSON and 400 as a GraphQL response",
    async (code, query, variables) => {
      await using world = await handlerUnderTest();
      const legacy = await world.graphql(query, variables, { accept: JSON_TYPE });
      expect([legacy.status, await codeOf(legacy)]).toEqual([200, code]);
      const modern = await world.graphql(query, variables, { accept: GRAPHQL_RESPONSE });
      expect([modern.status, await codeOf(modern)]).toEqual([400, code]);
    },
  );

  it.each<[string, number, RequestInit]>([
    ["a body that is not JSON", 400, { method: "POST", headers: { "content-type": JSON_TYPE }, body: "{" }],
    [
      "a body that is not an object",
      400,
      { method: "POST", headers: { "content-type": JSON_TYPE }, body: "7" },
    ],
    ["a body without a query", 400, { method: "POST", headers: { "content-type": JSON_TYPE }, body: "{}" }],
    [
      "a batch",
      400,
      { method: "POST", headers: { "content-type": JSON_TYPE }, body: '[{"query":"{ viewer { actor } }"}]' },
    ],
    ["another content type", 415, { method: "POST", headers: { "content-type": "text/csv" }, body: "a,b" }],
    ["a form", 415, { method: "POST", body: new URLSearchParams({ query: "{ viewer { actor } }" }) }],
    ["another method", 405, { method: "DELETE" }],
  ])("refuses %s with BAD_USER_INPUT and %d", async (_what, status, init) => {
    await using world = await handlerUnderTest();
    for (const accept of [JSON_TYPE, GRAPHQL_RESPONSE]) {
      const response = await world.request("/graphql", { ...init, headers: { ...init.headers, accept } });
      expect([response.status, await codeOf(response)]).toEqual([status, "BAD_USER_INPUT"]);
    }
  });

  it("refuses a mutation by GET", async () => {
    await using world = await handlerUnderTest();
    const query = `mutation { runLifecycle(input: { dryRun: true }) { started } }`;
    const response = await world.request(`/graphql?query=${encodeURIComponent(query)}`);
    expect([response.status, response.headers.get("allow"), await codeOf(response)]).toEqual([
      405,
      "POST",
      "BAD_USER_INPUT",
    ]);
  });

  it("refuses an unknown media type, and a subscription in one that cannot carry it", async () => {
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
    const query = await world.graphql("{ viewer { actor } }", {}, { accept: "text/csv" });
    expect([query.status, await codeOf(query)]).toEqual([406, "BAD_USER_INPUT"]);
    const watch = "subscription { lifecycleEvents { type } }";
    const subscription = await world.graphql(watch, {}, { accept: JSON_TYPE });
    expect([subscription.status, await codeOf(subscription)]).toEqual([406, "BAD_USER_INPUT"]);
    // Its results are not read, so it must not follow the log.
    expect(followed.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it("accepts content of the largest inline size, and refuses a larger body", async () => {
    await using world = await handlerUnderTest({ maxInlineBytes: 100_000 });
    const write = `mutation ($text: String!) { writeArtifact(input: { tenantId: "t", workflowId: "w", artifactId: "a", content: { text: $text } }) { artifact { sizeBytes } } }`;
    const fits = await world.graphql(write, { text: "\u0001".repeat(100_000) });
    expect(await fits.json()).toEqual({ data: { writeArtifact: { artifact: { sizeBytes: 100_000 } } } });

    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(65536).fill(0x20)),
    });
    const endless = await world.request("/graphql", {
      method: "POST",
      headers: { "content-type": JSON_TYPE },
      body,
    });
    expect([endless.status, await codeOf(endless)]).toEqual([413, "CONTENT_TOO_LARGE"]);
  });

  it("hides an unexpected failure except for its request id, under which the log has the stack", async () => {
    await using world = await handlerUnderTest({
      replace: ({ tenants }) => ({
        tenants: withMethods(tenants, {
          tierCounts: () => Promise.reject(new Error("secret: the disk at /dev/sda")),
        }),
      }),
    });
    const response = await world.graphql("{ tierStats { tier } }", {}, { "x-request-id": "mine-1" });
    const text = await response.text();
    expect(text).not.toContain("secret");
    expect(JSON.parse(text).errors[0].extensions).toEqual({ code: "INTERNAL", requestId: "mine-1" });
    const lines = world.logged.filter((line) => line.requestId === "mine-1");
    expect(lines.find((line) => line.msg === "internal error")?.err).toMatchObject({
      message: expect.stringContaining("secret: the disk"),
      stack: expect.stringMatching(/^ +at /),
    });
    expect(lines.find((line) => line.msg === "request")).toMatchObject({ code: "INTERNAL" });
  });

  it("keeps a valid request id, and replaces any other", async () => {
    await using world = await handlerUnderTest();
    const idFor = async (given: string) =>
      (await world.graphql("{ viewer { actor } }", {}, { "x-request-id": given })).headers.get(
        "x-request-id",
      );
    expect(await idFor("build-42/step:7")).toBe("build-42/step:7");
    for (const insane of ["", "a b", "x".repeat(200), "<script>"])
      expect(await idFor(insane)).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("logs one line per request with actor, operation and result, and never variables", async () => {
    await using world = await handlerUnderTest();
    await world.graphql("query FindTenant($id: String!) { tenant(tenantId: $id) { id } }", {
      id: "a-secret-name",
    });
    expect(world.logged).toHaveLength(1);
    expect(world.logged[0]).toMatchObject({
      actor: "local",
      operation: "query FindTenant",
      status: 200,
      durationMs: expect.any(Number),
      requestId: expect.any(String),
    });
    expect(JSON.stringify(world.logged)).not.toContain("a-secret-name");
  });

  it("returns refusals of a service with their code", async () => {
    await using world = await handlerUnderTest({
      replace: ({ artifacts }) => ({
        artifacts: withMethods(artifacts, {
          purge: () => Promise.reject(new Refused("UNAVAILABLE", "Not now.", { retryAfterSeconds: 3 })),
        }),
      }),
    });
    const response = await world.graphql(
      `mutation { purgeArtifact(input: { tenantId: "t", workflowId: "w", artifactId: "a" }) { sizeBytes } }`,
    );
    expect(await codeOf(response)).toBe("UNAVAILABLE");
    expect(world.logged.at(-1)).toMatchObject({ code: "UNAVAILABLE", status: 200 });
  });

  it("redirects browsers to GraphiQL, returns NOT_FOUND for unknown paths, and has no icon", async () => {
    await using world = await handlerUnderTest();
    const root = await world.request("/", { redirect: "manual" });
    expect([root.status, root.headers.get("location")]).toEqual([302, "/graphql"]);
    const nothing = await world.request("/nothing");
    expect([nothing.status, await nothing.json()]).toMatchObject([404, { code: "NOT_FOUND" }]);
    expect((await world.request("/favicon.ico")).status).toBe(204);
    expect(new URL(nothing.url || ORIGIN).origin).toBe(ORIGIN);
  });
});

describe("a GraphQL request", () => {
  const WRITE = `mutation ($metadata: JSONObject) {
    writeArtifact(input: { tenantId: "t", workflowId: "w", artifactId: "a", content: { text: "" }, metadata: $metadata }) { created }
  }`;
  const post = (world: Awaited<ReturnType<typeof handlerUnderTest>>, body: BodyInit, headers = {}) =>
    world.request("/graphql", { method: "POST", body, headers: { "content-type": JSON_TYPE, ...headers } });

  it.each(["variables={", "variables=[1", "extensions=}", "variables=1", 'variables="a"', "variables=[]"])(
    "by GET with malformed parameters is BAD_USER_INPUT: %s",
    async (parameters) => {
      await using world = await handlerUnderTest();
      const response = await world.request(`/graphql?query={viewer{actor}}&${parameters}`);
      expect([response.status, await codeOf(response)]).toEqual([400, "BAD_USER_INPUT"]);
    },
  );

  it.each(["1", "null", '"{}"', "{", "", "[]"])(
    "by POST with the body %j is BAD_USER_INPUT",
    async (body) => {
      await using world = await handlerUnderTest();
      const response = await post(world, body);
      expect([response.status, await codeOf(response)]).toEqual([400, "BAD_USER_INPUT"]);
    },
  );

  it("accepts its content type in any case, and treats an empty operation name as none", async () => {
    await using world = await handlerUnderTest();
    const body = JSON.stringify({ query: "{ viewer { actor } }", operationName: "" });
    for (const type of ["APPLICATION/JSON", "Application/Json; Charset=UTF-8", "application/json ; a=b"]) {
      const response = await post(world, body, { "content-type": type });
      expect(await response.json()).toEqual({ data: { viewer: { actor: "local" } } });
    }
    for (const type of ["text/plain", "application/json-seq", "application/graphql"]) {
      expect((await post(world, body, { "content-type": type })).status).toBe(415);
    }
    const get = await world.request("/graphql?query={viewer{actor}}&operationName=");
    expect(get.status).toBe(200);
  });

  it("is refused if its body is not UTF-8 or is compressed", async () => {
    await using world = await handlerUnderTest();
    const latin1 = Buffer.from('{"query":"{ viewer { actor } } # \u00e9"}', "latin1");
    expect(await codeOf(await post(world, latin1))).toBe("BAD_USER_INPUT");
    const encoded = await post(world, "{}", { "content-encoding": "gzip" });
    expect([encoded.status, await codeOf(encoded)]).toEqual([415, "BAD_USER_INPUT"]);
  });

  it("is refused for a metadata number that would change when stored, in any notation", async () => {
    await using world = await handlerUnderTest();
    const number = "12345678901234567890";
    const literal = (value: string) =>
      WRITE.replace("$metadata }", `${value} }`).replace("($metadata: JSONObject)", "");
    const list = `{ artifacts(where: { metadata: { n: [${number}] } }) { totalCount } }`;
    const get = `mutation=&query=${encodeURIComponent("query ($m: JSONObject) { artifacts(where: { metadata: $m }) { totalCount } }")}`;
    const answers = [
      await post(
        world,
        `{"query":${JSON.stringify(WRITE)},"variables":{"metadata":{"a":[{"n":${number}}]}}}`,
      ),
      await world.graphql(literal(`{ a: { n: ${number} } }`)),
      await world.graphql(literal("{ n: 0.1234567890123456789 }")),
      await world.graphql(list),
      await world.request(`/graphql?${get}&variables={"m":{"n":${number}}}`),
    ];
    for (const answer of answers) expect(await codeOf(answer)).toBe("BAD_USER_INPUT");
    const kept = await world.graphql(
      literal('{ n: 9007199254740991, f: 0.1, big: 1e21, text: "x", e: E, b: true, z: null }'),
    );
    expect(await kept.json()).toEqual({ data: { writeArtifact: { created: true } } });
    const read = await world.graphql("{ artifacts { nodes { metadata } } }");
    expect(await read.json()).toEqual({
      data: {
        artifacts: {
          nodes: [
            { metadata: { n: 9007199254740991, f: 0.1, big: 1e21, text: "x", e: "E", b: true, z: null } },
          ],
        },
      },
    });
  });

  it("without introspection gets no suggestions, not even for variables", async () => {
    await using world = await handlerUnderTest({
      limits: { surface: { ...DEFAULT_LIMITS.surface, introspection: false } },
    });
    const key = { tenantId: "t", workflowId: "w", artifactId: "a" };
    const answers = [
      await world.graphql("query ($key: ArtifactKeyInput!) { signedDownloadUrl(key: $key) { url } }", {
        key: { ...key, artifactIdd: "a" },
      }),
      await world.graphql("query ($t: [Tier!]) { artifacts(where: { tiers: $t }) { totalCount } }", {
        t: ["HOTT"],
      }),
      await world.graphql("{ artifacts(where: { tierz: [HOT] }) { totalCount } }"),
      await world.graphql("{ artifacts(where: { tiers: [HOTT] }) { totalCountt } }"),
      await world.graphql('{ artifact(keyy: {}) { idd } node(id: "x") { ... on Artifactt { id } } }'),
      await world.graphql("query ($k: ArtifactKeyInputt!) { signedDownloadUrl(key: $k) { url } }"),
    ];
    for (const answer of answers) {
      const text = await answer.text();
      expect(text).toContain('"errors"');
      expect(text).not.toMatch(/did you mean/i);
    }
  });

  it("with a string of any length in any place is refused with a code", async () => {
    await using world = await handlerUnderTest();
    const text = "a".repeat(900_000);
    const queries = [
      "query ($s: String) { artifacts(where: { artifactIdPrefix: $s }) { totalCount nodes { id } } }",
      "query ($s: String!) { artifacts(where: { tenantId: $s }) { totalCount } }",
      "query ($s: String!) { artifacts(after: $s) { totalCount nodes { id } } }",
      "query ($s: ID!) { node(id: $s) { id } nodes(ids: [$s]) { id } }",
      "query ($s: String!) { tenant(tenantId: $s) { tenantId } }",
      "query ($s: String!) { lifecycleEvents(after: $s) { nodes { cursor } } }",
    ];
    for (const query of queries) {
      const { errors = [] } = (await (await world.graphql(query, { s: text })).json()) as {
        errors?: { extensions: { code: string } }[];
      };
      for (const { extensions } of errors) expect([query, extensions.code]).not.toEqual([query, "INTERNAL"]);
    }
    const prefix = await world.graphql(queries[0] as string, { s: text });
    expect(await codeOf(prefix)).toBe("BAD_USER_INPUT");
  });
});
