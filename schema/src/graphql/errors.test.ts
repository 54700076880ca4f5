import { GraphQLError } from "graphql";
import { describe, expect, it } from "vitest";
import { REFUSALS, Refused } from "../domain/refusals.ts";
import { toGraphQLError } from "./errors.ts";
import { ask, FAKE_REQUEST_ID } from "./testing/fake-request.ts";
import { anArtifact, fakeServices } from "./testing/fake-services.ts";
import { jobGlobalId } from "./types/global-ids.ts";

const key = { tenantId: "acme", workflowId: "wf", artifactId: "a.txt" };

async function codesOf(source: string, variables: Record<string, unknown> = {}, services = fakeServices()) {
  const { errors } = await ask(services, source, variables);
  for (const { extensions } of errors) expect(extensions.requestId).toBe(FAKE_REQUEST_ID);
  return errors.map(({ extensions }) => extensions.code);
}

describe("errors of a request", () => {
  it.each(["{", "", "query Q($a: ) { viewer { actor } }", "{ viewer { actor } } \u0000"])(
    "are GRAPHQL_PARSE_FAILED for the invalid document %j",
    async (source) => {
      expect(await codesOf(source)).toEqual(["GRAPHQL_PARSE_FAILED"]);
    },
  );

  it.each([
    "{ nothing }",
    "{ viewer }",
    "{ node { id } }",
    "query Q($unused: Int) { viewer { actor } }",
    "query Q($id: ID) { node(id: $id) { id } }",
    '{ artifacts(first: "ten") { totalCount } }',
    "query Q($x: Viewer) { viewer { actor } }",
    "mutation { writeArtifact(input: {}) { created } }",
  ])("are GRAPHQL_VALIDATION_FAILED for %s", async (source) => {
    for (const code of await codesOf(source)) expect(code).toBe("GRAPHQL_VALIDATION_FAILED");
    expect(await codesOf(source)).not.toEqual([]);
  });

  const write = "mutation M($input: WriteArtifactInput!) { writeArtifact(input: $input) { created } }";
  it.each<[what: string, source: string, variables: Record<string, unknown>]>([
    ["a missing variable", "query Q($id: ID!) { node(id: $id) { id } }", {}],
    ["a variable of the wrong type", "query Q($n: Int) { tenants(first: $n) { totalCount } }", { n: "ten" }],
    ["a fraction for a whole number", "query Q($n: Int) { tenants(first: $n) { totalCount } }", { n: 1.5 }],
    [
      "null for an argument with a default",
      "query Q($d: OrderDirection) { lifecycleEvents(direction: $d) { totalCount } }",
      { d: null },
    ],
    [
      "an unknown enum value",
      "query Q($d: OrderDirection) { lifecycleEvents(direction: $d) { totalCount } }",
      { d: "UP" },
    ],
    [
      "a bad instant in a variable",
      "query Q($w: ArtifactFilter) { artifacts(where: $w) { totalCount } }",
      { w: { olderThanDays: 1, asOf: "soon" } },
    ],
    [
      "a bad instant in the document",
      '{ artifacts(where: { olderThanDays: 1, asOf: "soon" }) { totalCount } }',
      {},
    ],
    ["an unknown field", write, { input: { ...key, content: { text: "" }, colour: "red" } }],
    ["a missing field", write, { input: key }],
    ["two fields of a oneOf", write, { input: { ...key, content: { text: "a", base64: "YQ==" } } }],
    ["no field of a oneOf", write, { input: { ...key, content: {} } }],
    ["bad base64", write, { input: { ...key, content: { base64: "YQ" } } }],
    ["metadata that is not an object", write, { input: { ...key, content: { text: "" }, metadata: [1] } }],
    [
      "null for a variable inside an input",
      'mutation M($t: Tier) { writeArtifact(input: { tenantId: "a", workflowId: "b", artifactId: "c", tier: $t, content: { text: "" } }) { created } }',
      { t: null },
    ],
  ])("are BAD_USER_INPUT for %s", async (_what, source, variables) => {
    const services = fakeServices();
    const codes = await codesOf(source, variables, services);
    expect(codes).not.toEqual([]);
    for (const code of codes) expect(code).toBe("BAD_USER_INPUT");
    expect(services.calls).toEqual([]);
  });

  it("are BAD_USER_INPUT for an unknown operation", () => {
    const error = new GraphQLError('Unknown operation named "Q".');
    expect(toGraphQLError(error, "r").extensions.code).toBe("BAD_USER_INPUT");
  });

  it("never contain complete content", async () => {
    const input = { ...key, content: { text: "x".repeat(100_000), base64: 1 } };
    const { errors } = await ask(fakeServices(), write, { input });
    for (const { message } of errors) expect(message.length).toBeLessThan(1100);
  });
});

describe("errors of a resolver", () => {
  const failing = (error: unknown) =>
    fakeServices({ overrides: { tenants: { list: () => Promise.reject(error) } } });
  const listTenants = "{ viewer { actor } tenants { totalCount } }";

  it("keep a refusal's code, message and facts, and have a path", async () => {
    const refused = new Refused("CONFLICT", "Other work is in progress.", {
      jobId: "j1",
      retryAfterSeconds: 3,
      outcome: "unknown",
    });
    const { errors } = await ask(failing(refused), listTenants);
    expect(errors).toEqual([
      {
        message: "Other work is in progress.",
        path: ["tenants"],
        locations: [{ line: 1, column: 20 }],
        extensions: {
          code: "CONFLICT",
          requestId: FAKE_REQUEST_ID,
          jobId: jobGlobalId("j1"),
          retryAfterSeconds: 3,
          outcome: "unknown",
        },
      },
    ]);
  });

  it.each(Object.keys(REFUSALS) as (keyof typeof REFUSALS)[])("keep the code %s", async (code) => {
    expect(await codesOf(listTenants, {}, failing(new Refused(code, "No.")))).toEqual([code]);
  });

  it.each([
    ["an error", new Error("secret at /var/lib")],
    ["a type error", new TypeError("secret of undefined")],
    ["a GraphQLError around an error", new GraphQLError("secret", { originalError: new Error("secret") })],
    ["a GraphQLError", new GraphQLError("secret")],
    ["an error with an unknown code", Object.assign(new Error("secret"), { extensions: { code: "ENOENT" } })],
    ["a string", "secret"],
    ["undefined", undefined],
  ])("become INTERNAL without disclosing %s", async (_what, error) => {
    const { errors } = await ask(failing(error), listTenants);
    expect(errors).toHaveLength(1);
    expect(errors[0]?.extensions).toEqual({ code: "INTERNAL", requestId: FAKE_REQUEST_ID });
    expect(JSON.stringify(errors)).not.toContain("secret");
  });

  it.each(["sizeBytes", "promotedAt", "ageDays", "tier"])(
    "become INTERNAL if %s is invalid for its type",
    async (field) => {
      const bad = { sizeBytes: 0.5, promotedAt: Number.NaN, ageSince: Number.NaN, tier: "TEPID" as "WARM" };
      const services = fakeServices({ artifacts: [anArtifact(bad)] });
      const source = `{ artifact(tenantId: "acme", workflowId: "wf", artifactId: "a.txt") { ${field} } }`;
      const { errors } = await ask(services, source);
      expect(errors.map(({ extensions }) => extensions.code)).toEqual(["INTERNAL"]);
      expect(JSON.stringify(errors)).not.toMatch(/0\.5|NaN|TEPID/);
    },
  );

  it("keep the original error of INTERNAL for the log only", () => {
    const cause = new Error("secret");
    const error = toGraphQLError(
      new GraphQLError("secret", { originalError: cause, path: ["tenants"] }),
      "r",
    );
    expect(error.originalError).toBe(cause);
    expect(toGraphQLError(cause, "r").originalError).toBe(cause);
    expect(JSON.stringify(error)).not.toContain("secret");
  });
});

describe("errors that are already converted", () => {
  it("are returned unchanged by a second conversion", () => {
    const first = toGraphQLError(new Refused("SAME_TIER", "It is there.", { tier: "HOT" }), "r");
    expect(toGraphQLError(first, "r").toJSON()).toEqual(first.toJSON());
    const internal = toGraphQLError(new Error("secret"), "r");
    expect(toGraphQLError(internal, "r").toJSON()).toEqual(internal.toJSON());
    expect(toGraphQLError(internal, "r").originalError).toBe(internal.originalError);
  });

  it("keep a transport's code and HTTP status", () => {
    const http = { spec: true, status: 400 };
    const given = new GraphQLError("No.", {
      extensions: { code: "GRAPHQL_VALIDATION_FAILED", http, note: "secret" },
    });
    expect(toGraphQLError(given, "r").extensions).toEqual({
      code: "GRAPHQL_VALIDATION_FAILED",
      requestId: "r",
      http,
    });
  });

  it("do not pass on the code of an error that is not meant for clients", () => {
    const stray = Object.assign(new Error("secret"), { extensions: { code: "CONFLICT" } });
    const error = toGraphQLError(
      new GraphQLError("secret", { originalError: stray, path: ["tenants"] }),
      "r",
    );
    expect(error.toJSON()).toMatchObject({ extensions: { code: "INTERNAL", requestId: "r" } });
  });

  it.each([
    [400, "BAD_USER_INPUT"],
    [405, "BAD_USER_INPUT"],
    [413, "CONTENT_TOO_LARGE"],
    [500, "INTERNAL"],
  ])("get their code from a transport's HTTP status %i, and keep the status", (status, code) => {
    const http = { status, headers: { allow: "POST" } };
    const error = toGraphQLError(new GraphQLError("No.", { extensions: { code: "BAD_REQUEST", http } }), "r");
    expect(error.extensions).toEqual({ code, requestId: "r", http });
  });
});
