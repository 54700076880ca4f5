import { getIntrospectionQuery } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type HandlerUnderTest,
  handlerUnderTest,
  withMethods,
} from "../../../testing/http/handler-under-test.ts";
import { documentCache } from "./document-cache.ts";

let under: HandlerUnderTest;
let reads = 0;

beforeAll(async () => {
  under = await handlerUnderTest({
    replace: ({ artifacts, tenants }) => ({
      artifacts: withMethods(artifacts, {
        list: counted(artifacts.list),
        getMany: counted(artifacts.getMany),
      }),
      tenants: withMethods(tenants, { list: counted(tenants.list), exist: counted(tenants.exist) }),
    }),
  });
});

afterAll(async () => {
  await under[Symbol.asyncDispose]();
});

function counted<F extends (...args: never[]) => unknown>(method: F): F {
  return function (this: unknown, ...args: never[]) {
    reads += 1;
    return method.apply(this, args);
  } as F;
}

interface ErrorsOf {
  readonly codes: readonly string[];
  readonly messages: readonly string[];
}

async function errorsOf(query: string, variables: unknown = {}): Promise<ErrorsOf> {
  const response = await under.graphql(query, variables);
  const { errors = [] } = (await response.json()) as {
    errors?: { message: string; extensions: { code: string } }[];
  };
  return {
    codes: errors.map(({ extensions }) => extensions.code),
    messages: errors.map(({ message }) => message),
  };
}

const repeat = (count: number, part: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => part(index)).join(" ");

const nested = (levels: number) =>
  `{ artifact(tenantId: "a", workflowId: "b", artifactId: "c") { ${'tenant { workflow(workflowId: "b") { '.repeat(levels)} id ${"} }".repeat(levels)} } }`;

/** Each fragment spreads the next one twice with different names. */
const bomb = (levels: number) =>
  `{ artifacts { nodes { tenant { ...f0 } } } }
   ${repeat(levels, (n) => `fragment f${n} on Tenant { a: workflow(workflowId: "w") { tenant { ...f${n + 1} } } b: workflow(workflowId: "w") { tenant { ...f${n + 1} } } }`)}
   fragment f${levels} on Tenant { id }`;

const attacks: readonly (readonly [string, string])[] = [
  ["has very many tokens", `{ viewer { ${"actor ".repeat(7_000)} } }`],
  ["is deep", nested(10)],
  [
    "is deep because of fragments",
    `{ artifacts { nodes { ...f0 } } } ${repeat(16, (n) => `fragment f${n} on Artifact { tenant { artifacts { nodes { ...f${n + 1} } } } }`)} fragment f16 on Artifact { id }`,
  ],
  ["has nested brackets", `{ nodes(ids: ${"[".repeat(20_000)}) { id } }`],
  ["has many aliases", `{ ${repeat(51, (n) => `a${n}: viewer { actor }`)} }`],
  ["has many directives", `{ viewer { ${repeat(51, () => "actor @include(if: true)")} } }`],
  ["has one directive many times", `{ viewer { actor ${"@include(if: true) ".repeat(51)} } }`],
  ["repeats a selection", `{ ${"viewer { actor } ".repeat(200)} }`],
  ["repeats a selection in inline fragments", `{ ${"... { viewer { actor } } ".repeat(200)} }`],
  ["repeats a selection with subfields", `{ artifacts { ${"nodes { tenant { id } } ".repeat(150)} } }`],
  ["doubles with each fragment", bomb(20)],
  ["requests pages of pages", "{ tenants(first: 500) { nodes { artifacts(first: 500) { nodes { id } } } } }"],
  [
    "requests default pages of default pages",
    "{ tenants { nodes { workflows { nodes { artifacts { nodes { id } } } } } } }",
  ],
  [
    "requests stats of tenants of stats",
    "{ tierStats { tenants(first: 500) { nodes { tierStats { tenants(first: 500) { nodes { id } } } } } } }",
  ],
];

describe("the limits of a document", () => {
  it.each(attacks)("reject one that %s with QUERY_TOO_COMPLEX before any read", async (_what, query) => {
    reads = 0;
    const { codes, messages } = await errorsOf(query);
    expect(codes).toEqual(["QUERY_TOO_COMPLEX"]);
    expect(messages[0]?.length).toBeLessThan(300);
    expect(reads).toBe(0);
  });

  it("report one token too many before any other error", async () => {
    const listOf = (values: number, end = "") =>
      `{ nodes(ids: [${'"x" '.repeat(values)}]) { id } } # a comment has no tokens ${end}`;
    const tooMany = /more than 6000 tokens/;
    expect((await errorsOf(listOf(5_989))).messages[0]).toMatch(tooMany);
    expect((await errorsOf(listOf(5_989, "\n ?!"))).messages[0]).toMatch(tooMany);
    expect((await errorsOf(listOf(5_988))).messages.join()).not.toMatch(tooMany);
    expect((await errorsOf(listOf(5_988, "\n ?"))).codes).toEqual(["GRAPHQL_PARSE_FAILED"]);
  });
});

describe("the cost of an operation", () => {
  const PAGE =
    "query ($first: Int, $last: Int) { artifacts(first: $first, last: $last) { nodes { tenant { artifacts(first: 50) { nodes { id tier } } } } } }";

  it("is reported with the limit", async () => {
    const { codes, messages } = await errorsOf(PAGE, { first: 500 });
    expect(codes).toEqual(["QUERY_TOO_COMPLEX"]);
    expect(messages[0]).toMatch(/costs \d+; 60000 is allowed/);
  });

  it("counts the rows that variables request from either end, and those of the default page", async () => {
    expect((await errorsOf(PAGE, { first: 5 })).codes).toEqual([]);
    expect((await errorsOf(PAGE, { last: 500 })).codes).toEqual(["QUERY_TOO_COMPLEX"]);
    expect((await errorsOf(PAGE, { first: 5 })).codes).toEqual([]);
    expect((await errorsOf(PAGE)).codes).toEqual([]);
  });

  it("is that of the executed operation, wherever it is in the document", async () => {
    const query = `query Cheap { viewer { actor } } query Expensive { tenants(first: 500) { nodes { artifacts(first: 500) { nodes { id } } } } }`;
    const send = async (operationName: string) => {
      const response = await under.request("/graphql", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ query, operationName }),
      });
      const { errors } = (await response.json()) as { errors?: { extensions: { code: string } }[] };
      return errors?.[0]?.extensions.code;
    };
    expect(await send("Expensive")).toBe("QUERY_TOO_COMPLEX");
    expect(await send("Cheap")).toBeUndefined();
  });

  it("does not hide other errors: a page size over the limit, or invalid variables", async () => {
    expect((await errorsOf("{ tenants(first: 501) { nodes { id } } }")).codes).toEqual(["BAD_USER_INPUT"]);
    expect((await errorsOf("{ tenants(first: 100000000) { nodes { id } } }")).codes).toEqual([
      "BAD_USER_INPUT",
    ]);
    expect((await errorsOf(PAGE, { first: "many" })).codes).toEqual(["BAD_USER_INPUT"]);
    const ids = Array.from({ length: 501 }, () => "x");
    expect((await errorsOf("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", { ids })).codes).toEqual([
      "BAD_USER_INPUT",
    ]);
  });
});

describe("the limits of a document, for real clients", () => {
  it("accept GraphiQL's introspection", async () => {
    for (const options of [
      {},
      { descriptions: true, specifiedByUrl: true, inputValueDeprecation: true, oneOf: true },
    ]) {
      expect((await errorsOf(getIntrospectionQuery(options))).codes).toEqual([]);
    }
  });

  it("accept 500 literal keys, and 50 aliases", async () => {
    const keys = repeat(500, (n) => `{ tenantId: "a", workflowId: "b", artifactId: "${n}" }`);
    expect((await errorsOf(`{ artifactsByKey(keys: [${keys}]) { id tier } }`)).codes).toEqual([]);
    expect((await errorsOf(`{ ${repeat(50, (n) => `a${n}: viewer { actor }`)} }`)).codes).toEqual([]);
  });

  it("accept fields shared by fragments", async () => {
    const query = `{ artifacts { nodes { ...A tenant { ...T } workflow { tenant { ...T } } } edges { node { ...A } } } }
      fragment A on Artifact { id tenant { ...T } } fragment T on Tenant { id tenantId }`;
    expect((await errorsOf(query)).codes).toEqual([]);
  });
});

it("documentCache keeps no long document, because its values make it unique and many would fill the memory", () => {
  const cache = documentCache<object>();
  cache.set("{ viewer { actor } }", {});
  cache.set(`{ nodes(ids: ["${"x".repeat(20_000)}"]) { id } }`, {});
  for (let n = 0; n < 1_000; n += 1) cache.set(`{ a${n}: viewer { actor } } #${"x".repeat(10_000)}`, {});
  expect(cache.size).toBeLessThan(60);
});
