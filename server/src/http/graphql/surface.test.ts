import { DEFAULT_LIMITS } from "@tierkeep/schema/domain/limits";
import { getIntrospectionQuery, parse, print } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HandlerUnderTest, handlerUnderTest } from "../../../testing/http/handler-under-test.ts";

const ALLOWED = `query Who { viewer { ...Names } } fragment Names on Viewer { actor role }`;

let closed: HandlerUnderTest;
let open: HandlerUnderTest;

beforeAll(async () => {
  open = await handlerUnderTest();
  closed = await handlerUnderTest({
    limits: {
      surface: { graphiql: false, introspection: false, operations: null },
    },
  });
});

afterAll(async () => {
  await open[Symbol.asyncDispose]();
  await closed[Symbol.asyncDispose]();
});

interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly { readonly message: string; readonly extensions: { readonly code: string } }[];
}

async function answerTo(under: HandlerUnderTest, query: string): Promise<Answer> {
  return (await (await under.graphql(query)).json()) as Answer;
}

describe("the API with introspection off", () => {
  it.each([
    ["the complete schema", getIntrospectionQuery()],
    ["a type", `{ __type(name: "Artifact") { name } }`],
    ["the schema in a fragment", "{ ...F } fragment F on Query { s: __schema { queryType { name } } }"],
  ])("does not reveal %s", async (_what, query) => {
    expect((await answerTo(open, query)).errors).toBeUndefined();
    const { data, errors } = await answerTo(closed, query);
    expect(data).toBeUndefined();
    expect(errors?.[0]?.extensions.code).toBe("GRAPHQL_VALIDATION_FAILED");
  });

  it("suggests no similar names in errors", async () => {
    const mistakes = [
      "{ artifac { id } }",
      "{ viewer { acto } }",
      "{ artifacts(firs: 1) { nodes { id } } }",
      "{ artifacts(orderBy: { field: SIZ }) { nodes { id } } }",
    ];
    for (const query of mistakes) {
      expect((await answerTo(open, query)).errors?.[0]?.message).toMatch(/Did you mean/);
      const { errors } = await answerTo(closed, query);
      expect(errors?.[0]?.extensions.code).toBe("GRAPHQL_VALIDATION_FAILED");
      expect(JSON.stringify(errors)).not.toMatch(/Did you mean/);
    }
  });

  it("still validates and executes other documents", async () => {
    const known = "{ viewer { __typename actor } }";
    expect((await answerTo(closed, known)).data).toEqual({
      viewer: { __typename: "Viewer", actor: "local" },
    });
    expect((await answerTo(closed, "{ tenant { id } }")).errors?.[0]?.extensions.code).toBe(
      "GRAPHQL_VALIDATION_FAILED",
    );
  });
});

describe("the API with GraphiQL off", () => {
  it("has no page at / or /graphql", async () => {
    const headers = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
    expect((await open.request("/", { headers })).status).toBe(302);
    expect((await closed.request("/", { headers })).status).toBe(404);
    const page = await closed.request("/graphql", { headers });
    expect(page.status).toBe(400);
    expect(page.headers.get("content-type")).toMatch(/json/);
  });
});

describe("the API with a list of operations", () => {
  it("accepts only these, with any whitespace, over every transport", async () => {
    await using under = await handlerUnderTest({
      limits: {
        surface: { ...DEFAULT_LIMITS.surface, operations: new Set([print(parse(ALLOWED))]) },
      },
    });
    expect((await answerTo(under, ALLOWED)).data).toBeDefined();
    expect((await answerTo(under, ALLOWED.replaceAll(" ", "\n  "))).data).toBeDefined();
    const others = [
      "{ viewer { actor } }",
      ALLOWED.replace("role", "tenants"),
      `${ALLOWED} query Another { viewer { actor } }`,
      getIntrospectionQuery(),
    ];
    for (const query of others) {
      const { data, errors } = await answerTo(under, query);
      expect([data, errors?.map(({ extensions }) => extensions.code)]).toEqual([undefined, ["FORBIDDEN"]]);
    }
    const get = await under.request(`/graphql?query=${encodeURIComponent("{ viewer { actor } }")}`, {
      headers: { accept: "application/graphql-response+json" },
    });
    expect(get.status).toBe(403);
    const sse = await under.graphql(
      "subscription { lifecycleEvents { id } }",
      {},
      { accept: "text/event-stream" },
    );
    expect(await sse.text()).toContain("FORBIDDEN");
  });
});
