import { describe, expect, it } from "vitest";
import { ask, codesOf, newTenant } from "../support/client.ts";
import { sendRaw } from "../support/raw-http.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();

describe("several mutations in one request", () => {
  it("run in order, and a refused one does not affect the others", async () => {
    const tenantId = newTenant();
    const query = `mutation ($tenantId: String!) {
      one: writeArtifact(input: { tenantId: $tenantId, workflowId: "w", artifactId: "a", content: { text: "1" } }) { created artifact { sizeBytes } }
      two: promoteArtifact(input: { tenantId: $tenantId, workflowId: "w", artifactId: "none", toTier: WARM }) { toTier }
      three: promoteArtifact(input: { tenantId: $tenantId, workflowId: "w", artifactId: "a", toTier: WARM }) { toTier }
      four: promoteArtifact(input: { tenantId: $tenantId, workflowId: "w", artifactId: "a", toTier: WARM }) { toTier }
      five: writeArtifact(input: { tenantId: $tenantId, workflowId: "w/", artifactId: "a", content: { text: "1" } }) { created }
      six: purgeArtifact(input: { tenantId: $tenantId, workflowId: "w", artifactId: "a" }) { fromTier }
    }`;
    const { status, data, errors } = await ask(shared.server, query, { tenantId });
    expect(status).toBe(200);
    expect(data).toEqual({
      one: { created: true, artifact: { sizeBytes: 1 } },
      two: null,
      three: { toTier: "WARM" },
      four: null,
      five: null,
      six: { fromTier: "WARM" },
    });
    expect(errors.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [["two"], "ARTIFACT_NOT_FOUND"],
      [["four"], "SAME_TIER"],
      [["five"], "INVALID_IDENTIFIER"],
    ]);
  });
});

describe("a refusal", () => {
  it("has a code, a path and the requestId", async () => {
    const query = `query { artifact(tenantId: "a/b", workflowId: "w", artifactId: "a") { id } }`;
    const { data, errors, headers } = await ask(shared.server, query);
    expect(data).toEqual({ artifact: null });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({
      path: ["artifact"],
      extensions: { code: "INVALID_IDENTIFIER", argument: "tenantId", requestId: expect.stringMatching(/./) },
    });
    expect(Object.keys(errors[0] ?? {}).sort()).toEqual(["extensions", "locations", "message", "path"]);
    expect(headers.get("x-request-id")).toBe(errors[0]?.extensions.requestId);
  });

  it("shares its requestId with the same request's refusals only", async () => {
    const query = `{ a: tenant(tenantId: "") { id } b: tenant(tenantId: ".") { id } }`;
    const [one, two] = [await ask(shared.server, query), await ask(shared.server, query)];
    const ids = [...one.errors, ...two.errors].map(({ extensions }) => extensions.requestId);
    expect(ids).toHaveLength(4);
    expect(new Set(ids).size).toBe(2);
  });
});

describe("a GraphQL request over HTTP", () => {
  it("returns 200 if it is executed, even with refusals", async () => {
    expect((await ask(shared.server, `{ tenant(tenantId: "") { id } }`)).status).toBe(200);
    expect((await ask(shared.server, "{ tenants(first: 501) { totalCount } }")).status).toBe(200);
  });

  it.each([
    ["is not GraphQL", "{ tenants(", "GRAPHQL_PARSE_FAILED"],
    ["names an unknown field", "{ nothing }", "GRAPHQL_VALIDATION_FAILED"],
    ["omits a required argument", "{ tenant { id } }", "GRAPHQL_VALIDATION_FAILED"],
  ])("is refused with the matching code if it %s", async (_what, query, code) => {
    expect(await codesOf(shared.server, query)).toEqual([code]);
  });

  it.each([
    ["that is missing", {}],
    ["of another type", { tenantId: 1 }],
    ["that is null", { tenantId: null }],
  ])("is refused with BAD_USER_INPUT for a variable %s", async (_what, variables) => {
    const query = "query ($tenantId: String!) { tenant(tenantId: $tenantId) { id } }";
    expect(await codesOf(shared.server, query, variables)).toEqual(["BAD_USER_INPUT"]);
  });

  it("may be a GET for a query, but never for a mutation", async () => {
    const get = (query: string) =>
      fetch(`${shared.server.url}?query=${encodeURIComponent(query)}`, {
        headers: { accept: "application/json" },
      });
    const query = await get("{ viewer { actor } }");
    // A foreign page can send a plain GET, so a server may refuse it. It must not crash.
    expect([200, 400, 403, 415]).toContain(query.status);
    const mutation = await get(
      `mutation { writeArtifact(input: { tenantId: "get", workflowId: "w", artifactId: "a", content: { text: "x" } }) { created } }`,
    );
    expect(mutation.status).toBeGreaterThanOrEqual(400);
    await mutation.text();
    expect(await shared.tierkeep.tenant({ tenantId: "get" })).toBeNull();
  });

  it.each([
    ["text/plain", "as a form of a foreign page"],
    ["application/x-www-form-urlencoded", "as a form"],
    ["multipart/form-data; boundary=x", "as a form with files"],
  ])("changes nothing if it is sent as %s, %s", async (contentType) => {
    const query = `mutation { writeArtifact(input: { tenantId: "form", workflowId: "w", artifactId: "a", content: { text: "x" } }) { created } }`;
    const bodies: Record<string, string> = {
      "text/plain": JSON.stringify({ query }),
      "application/x-www-form-urlencoded": `query=${encodeURIComponent(query)}`,
      "multipart/form-data; boundary=x": `--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n${JSON.stringify({ query })}\r\n--x--\r\n`,
    };
    const answer = await sendRaw(shared.server, {
      method: "POST",
      path: "/graphql",
      headers: { "content-type": contentType },
      body: bodies[contentType] ?? "",
    });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(await shared.tierkeep.tenant({ tenantId: "form" })).toBeNull();
  });

  it("is refused with 4xx if it is not a valid JSON request", async () => {
    for (const body of ["", "{", "[]", "null", '{"query":1}', '"text"']) {
      const answer = await sendRaw(shared.server, {
        method: "POST",
        path: "/graphql",
        headers: { "content-type": "application/json" },
        body,
      });
      expect([body, answer.status >= 400 && answer.status < 500]).toEqual([body, true]);
    }
  });

  it("returns 404 at other paths", async () => {
    for (const path of ["/graphqlx", "/nothing", "/artifacts", "/artifacts/a/b", "/artifacts/a/b/c/d"]) {
      const answer = await sendRaw(shared.server, { path });
      expect([path, answer.status]).toEqual([path, 404]);
    }
  });
});

describe("health", () => {
  it.each(["/healthz", "/readyz"])("%s returns 200", async (path) => {
    expect((await sendRaw(shared.server, { path })).status).toBe(200);
  });
});
