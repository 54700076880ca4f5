import { describe, expect, it } from "vitest";
import { untilIdle } from "../support/at-rest.ts";
import { ask, newTenant } from "../support/client.ts";
import { sendRaw } from "../support/raw-http.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();

const times = (count: number, part: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => part(index)).join(" ");

type Attack = [what: string, code: string, query: string, variables?: Record<string, unknown>];

const COMPLEX = "QUERY_TOO_COMPLEX";
const INVALID = "GRAPHQL_VALIDATION_FAILED";
const UNPARSABLE = "GRAPHQL_PARSE_FAILED";
const BAD = "BAD_USER_INPUT";

const KEYED = `query ($key: String!) { artifact(tenantId: $key, workflowId: "w", artifactId: "a") { id } }`;
const WHERE = "query ($where: ArtifactFilter) { artifacts(where: $where) { totalCount } }";
const WRITE = "mutation ($input: WriteArtifactInput!) { writeArtifact(input: $input) { created } }";
const written = (more: object) => ({
  input: { tenantId: newTenant(), workflowId: "w", artifactId: "a", content: { text: "x" }, ...more },
});

/** Returns a value of arrays nested to this depth. */
function nestedArrays(levels: number): unknown {
  let value: unknown = 1;
  for (let n = 0; n < levels; n += 1) value = [value];
  return value;
}

const attacks: Attack[] = [
  ["101 aliases", COMPLEX, `{ ${times(101, (n) => `a${n}: __typename`)} }`],
  ["1,000 fields", COMPLEX, `{ ${"__typename ".repeat(1_000)} }`],
  ["101 directives", COMPLEX, `{ __typename ${"@skip(if: false) ".repeat(101)} }`],
  ["unknown directives", INVALID, "{ __typename @aa @bb @cc }"],
  [
    "a field nested in itself 51 levels deep",
    COMPLEX,
    `{ ${"artifacts { nodes { tenant { ".repeat(17)} id ${"} } } ".repeat(17)} }`,
  ],
  [
    "circular introspection",
    INVALID,
    `{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }`,
  ],
  ["a fragment that spreads itself", INVALID, "{ ...F } fragment F on Query { ...F }"],
  [
    "fragments that spread each other",
    INVALID,
    "{ ...F } fragment F on Query { ...G } fragment G on Query { ...F }",
  ],
  [
    "fragments that double",
    COMPLEX,
    `{ ...f0 } ${times(30, (n) => `fragment f${n} on Query { a: tenant(tenantId: "t") { id } b: tenant(tenantId: "t") { id } ...f${n + 1} x: tenants { nodes { artifacts { nodes { id } } } } }`)} fragment f30 on Query { viewer { actor } }`,
  ],
  ["unknown fragments", INVALID, "{ ...Missing }"],
  [
    "a page of pages of pages",
    COMPLEX,
    "{ tenants(first: 500) { nodes { workflows(first: 500) { nodes { artifacts(first: 500) { nodes { id } } } } } } }",
  ],
  ["50,000 tokens", COMPLEX, `{ ${"a ".repeat(50_000)} }`],
  ["50,000 unbalanced brackets", COMPLEX, "{".repeat(50_000)],
  ["a list nested 50,000 levels deep", COMPLEX, `{ nodes(ids: ${"[".repeat(50_000)}) { id } }`],
  ["100,000 comments", UNPARSABLE, "#\n".repeat(100_000)],
  ["a name of 500,000 characters", INVALID, `{ ${"a".repeat(500_000)} }`],
  ["1,000 variables", INVALID, `query (${times(1_000, (n) => `$v${n}: String`)}) { viewer { actor } }`],
  ["a variable defined twice", INVALID, "query ($a: String!, $a: String!) { tenant(tenantId: $a) { id } }"],
  ["an operation named twice", BAD, "query A { viewer { actor } } query A { viewer { role } }"],
  ["several operations and no name", BAD, "query A { viewer { actor } } query B { viewer { role } }"],
  ["a definition of the schema", BAD, "type Query { a: Int }"],
  ["two different fields under one name", INVALID, "{ a: viewer { actor } a: tenants { totalCount } }"],
  ["an argument of the wrong type", INVALID, `{ tenants(first: "500") { totalCount } }`],
  ["an integer beyond 32 bits", INVALID, "{ tenants(first: 99999999999999999999) { totalCount } }"],
  [
    "a float beyond the range of doubles",
    BAD,
    `{ artifacts(where: { olderThanDays: 1e999 }) { totalCount } }`,
  ],
  ["an integer of 100,000 digits", INVALID, `{ tenants(first: ${"9".repeat(100_000)}) { totalCount } }`],
  ["nothing", UNPARSABLE, " "],
  ["a null byte in the document", UNPARSABLE, "{ viewer { actor \0 } }"],
  ["a null byte in a string", "INVALID_IDENTIFIER", `{ tenant(tenantId: "a\0b") { id } }`],
  ["a null byte, escaped", "INVALID_IDENTIFIER", `{ tenant(tenantId: "a\\u0000b") { id } }`],
  ["an unterminated string", UNPARSABLE, `{ tenant(tenantId: "`],
  ["half a surrogate pair, escaped", UNPARSABLE, `{ tenant(tenantId: "\\uD83D") { id } }`],
  ["bidirectional overrides as a name", "INVALID_IDENTIFIER", KEYED, { key: "a\u202eb" }],
  ["a lone surrogate as a name", "INVALID_IDENTIFIER", KEYED, { key: "\ud83d" }],
  ["__proto__ as a variable", BAD, KEYED, JSON.parse('{"__proto__":{"key":"t"}}')],
  ["an object as a name", BAD, KEYED, { key: { toString: "t" } }],
  ["a list as a name", BAD, KEYED, { key: ["t"] }],
  [
    "500 ids too many",
    BAD,
    "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }",
    { ids: Array(1_000).fill("x") },
  ],
  ["100,000 ids", BAD, "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", { ids: Array(100_000).fill("x") }],
  [
    "an id of a megabyte",
    "",
    "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }",
    { ids: ["x".repeat(1_000_000)] },
  ],
  [
    "a cursor of a megabyte",
    "CURSOR_INVALID",
    "query ($after: String) { tenants(after: $after) { totalCount } }",
    { after: "x".repeat(1_000_000) },
  ],
  [
    "a fraction as an integer",
    BAD,
    "query ($first: Int) { tenants(first: $first) { totalCount } }",
    { first: 1.5 },
  ],
  [
    "an integer beyond 32 bits in a variable",
    BAD,
    "query ($first: Int) { tenants(first: $first) { totalCount } }",
    { first: 2 ** 53 },
  ],
  ["a metadata filter that is an array", BAD, WHERE, { where: { metadata: [] } }],
  [
    "a metadata filter nested 5,000 levels deep",
    BAD,
    WHERE,
    { where: { metadata: { a: nestedArrays(5_000) } } },
  ],
  [
    "written metadata nested 5,000 levels deep",
    BAD,
    WRITE,
    written({ metadata: { a: nestedArrays(5_000) } }),
  ],
  [
    "metadata larger than allowed",
    "CONTENT_TOO_LARGE",
    WRITE,
    written({ metadata: { a: "x".repeat(70_000) } }),
  ],
  ["content as text and as base64", BAD, WRITE, written({ content: { text: "a", base64: "YQ==" } })],
  ["unknown fields of an input", BAD, WRITE, written({ admin: true })],
  ["constructor as an input field", BAD, WRITE, written({ constructor: { prototype: {} } })],
  [
    "a date beyond the supported range",
    BAD,
    "query ($asOf: DateTime) { artifacts(where: { olderThanDays: 1, asOf: $asOf }) { totalCount } }",
    { asOf: "+999999-01-01T00:00:00Z" },
  ],
];

describe("attacks by document or variables, and the code of the refusal:", () => {
  it.each<Attack>(attacks)("%s → %s", async (_what, code, query, variables = {}) => {
    const { status, errors } = await ask(shared.server, query, variables);
    expect(
      errors
        .map(({ extensions }) => extensions.code)
        .join(" ")
        .split(" ")[0],
    ).toBe(code);
    expect([200, 400]).toContain(status);
    expect(JSON.stringify(errors).length).toBeLessThan(20_000);
  });

  it("accepts constructor, prototype and toString as keys of metadata, and rejects __proto__ as reserved", async () => {
    const tenantId = newTenant();
    const metadata = JSON.parse('{"constructor":{"prototype":{"admin":true}},"prototype":1,"toString":"x"}');
    const reserved = written({ metadata: JSON.parse('{"__proto__":{"admin":true}}') });
    expect((await ask(shared.server, WRITE, reserved)).errors[0]?.extensions.code).toBe(BAD);
    const { errors } = await ask(shared.server, WRITE, written({ tenantId, metadata }));
    expect(errors).toEqual([]);
    const { nodes } = await shared.tierkeep.artifacts({
      where: { tenantId, metadata: { toString: "x" } as never },
    });
    expect(JSON.stringify(nodes[0]?.metadata)).toBe(JSON.stringify(metadata));
    expect((await ask(shared.server, "{ viewer { admin: actor } }")).data).toEqual({
      viewer: { admin: "local" },
    });
  });
});

describe("attacks by request:", () => {
  const post = (body: string | Uint8Array, headers: Record<string, string> = {}) =>
    sendRaw(shared.server, {
      method: "POST",
      path: "/graphql",
      headers: { "content-type": "application/json", ...headers },
      body,
    });
  const query = JSON.stringify({ query: "{ viewer { actor } }" });
  const form = (parts: string) => `--x\r\n${parts}\r\n--x--\r\n`;

  it.each([
    ["a batch", 400, query.replace(/^.*$/, (one) => `[${Array(20).fill(one)}]`), {}],
    ["truncated JSON", 400, query.slice(0, -5), {}],
    ["JSON of nested arrays", 400, "[".repeat(1_000_000), {}],
    ["JSON that is a number", 400, "42", {}],
    ["a query that is an object", 400, '{"query":{"a":1}}', {}],
    ["variables that are a list", 400, '{"query":"{ viewer { actor } }","variables":[1]}', {}],
    ["variables that are text", 400, '{"query":"{ viewer { actor } }","variables":"{}"}', {}],
    ["an operation name that is a number", 400, '{"query":"{ viewer { actor } }","operationName":1}', {}],
    ["extensions that are text", 400, '{"query":"{ viewer { actor } }","extensions":"x"}', {}],
    [
      "an unknown persisted query",
      400,
      '{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"00"}}}',
      {},
    ],
    ["bytes that are not UTF-8", 400, Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), {}],
    ["plain text", 415, query, { "content-type": "text/plain" }],
    ["XML", 415, "<a/>", { "content-type": "application/xml" }],
    ["no content type", 415, query, { "content-type": "" }],
    [
      "a form",
      415,
      `query=${encodeURIComponent("{ viewer { actor } }")}`,
      { "content-type": "application/x-www-form-urlencoded" },
    ],
    [
      "multipart",
      415,
      form(`content-disposition: form-data; name="operations"\r\n\r\n${query}`),
      { "content-type": "multipart/form-data; boundary=x" },
    ],
    ["multipart without a boundary", 415, form(""), { "content-type": "multipart/form-data" }],
    [
      "truncated multipart",
      415,
      "--x\r\ncontent-disposition: form-data; na",
      { "content-type": "multipart/form-data; boundary=x" },
    ],
    ["ten megabytes", 413, `{"query":"${"x".repeat(10_000_000)}"}`, {}],
    ["an Accept that the server cannot meet", 406, query, { accept: "image/png" }],
    ["a foreign origin", 403, query, { origin: "https://evil.example" }],
    ["the origin null of a sandboxed page", 403, query, { origin: "null" }],
    ["a foreign Host", 403, query, { host: "evil.example" }],
  ] as const)("%s → %i", async (_what, status, body, headers) => {
    const answer = await post(body, headers);
    expect(answer.status).toBe(status);
    const said = JSON.parse(String(answer.body));
    const code = said.code ?? said.errors[0].extensions.code;
    expect(["BAD_USER_INPUT", "CONTENT_TOO_LARGE", "FORBIDDEN", UNPARSABLE]).toContain(code);
  });

  it("refuses metadata nested deeper than the call stack", async () => {
    for (const levels of [8_000, 30_000, 500_000]) {
      const value = `${"[".repeat(levels)}${"]".repeat(levels)}`;
      const input = `{"tenantId":"t","workflowId":"w","artifactId":"a","content":{"text":"x"},"metadata":{"a":${value}}}`;
      const { status, body } = await post(`{"query":"${WRITE}","variables":{"input":${input}}}`);
      expect([levels, status]).toEqual([levels, expect.toSatisfy((code) => [200, 400].includes(code))]);
      expect(String(body)).toMatch(/"code":"(BAD_USER_INPUT|CONTENT_TOO_LARGE)"/);
    }
  });

  it("refuses a mutation by GET, unsupported methods, and a subscription without an event stream", async () => {
    const path = `/graphql?query=${encodeURIComponent('mutation { cancelJob(input: { id: "x" }) { job { id } } }')}`;
    expect((await sendRaw(shared.server, { path })).status).toBe(405);
    for (const method of ["DELETE", "PATCH", "PROPFIND", "TRACE", "PUT"]) {
      expect([method, (await sendRaw(shared.server, { method, path: "/graphql" })).status]).toEqual([
        method,
        405,
      ]);
    }
    const { status } = await post(JSON.stringify({ query: "subscription { lifecycleEvents { id } }" }), {
      accept: "application/json",
    });
    expect(status).toBe(406);
  });

  it("refuses an SSE subscription with an invalid Last-Event-ID", async () => {
    for (const id of ["x", "0", "../../etc/passwd", "9".repeat(5_000), "%00"]) {
      const answer = await post(JSON.stringify({ query: "subscription { lifecycleEvents { id } }" }), {
        accept: "text/event-stream",
        "last-event-id": id,
      });
      expect(String(answer.body)).toContain("CURSOR_INVALID");
    }
  });
});

it("is idle after these attacks, has logged no error, and still responds", async () => {
  await untilIdle(shared.server);
  expect(shared.server.stderr).not.toContain("internal error");
  expect(shared.server.stderr).not.toContain('"level":"error"');
  expect((await ask(shared.server, "{ viewer { actor } }")).errors).toEqual([]);
});
