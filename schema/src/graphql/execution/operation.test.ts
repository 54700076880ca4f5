import { parse } from "graphql";
import { describe, expect, it } from "vitest";
import { schema } from "../index.ts";
import { queryCost } from "../limits/query-cost.ts";
import { ask } from "../testing/fake-request.ts";
import { fakeServices } from "../testing/fake-services.ts";
import { isPrepared, prepareOperation } from "./operation.ts";

const KEYS = "query ($keys: [ArtifactKeyInput!]!) { artifactsByKey(keys: $keys) { id } }";
const EVENTS =
  "query ($where: LifecycleEventFilter, $first: Int) { lifecycleEvents(where: $where, first: $first) { nodes { id } } }";

function problems(source: string, variableValues: Record<string, unknown>): readonly string[] {
  const prepared = prepareOperation({ schema, document: parse(source), variableValues });
  return isPrepared(prepared) ? [] : prepared.map(({ message }) => message);
}

/** Returns an object with `count` fields. */
const fields = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`field${index}`, 1]));

describe("invalid variables", () => {
  it("are reported at most five times", () => {
    const found = problems(KEYS, { keys: Array(900).fill(null) });
    expect(found).toHaveLength(6);
    expect(found.at(-1)).toMatch("Too many errors");
  });

  it.each([
    [
      "a list that is too long",
      KEYS,
      { keys: Array(100_000).fill(1) },
      '"$keys" has 100000 entries. At most 1000',
    ],
    [
      "text instead of an object",
      KEYS,
      { keys: ["x".repeat(1e6)] },
      '"$keys" at "0" is a string, but an object',
    ],
    ["an object with too many fields", KEYS, { keys: [fields(40_000)] }, '"$keys" at "0" has 40000 fields'],
    [
      "an object instead of text",
      KEYS,
      { keys: [{ tenantId: fields(40_000) }] },
      '"0.tenantId" is an object, but a String',
    ],
    [
      "an enum value that is too long",
      EVENTS,
      { where: { types: ["A".repeat(1e6)] } },
      '"types.0" is a text of 1000000 characters',
    ],
    [
      "long text instead of a number",
      EVENTS,
      { first: "1".repeat(1e6) },
      '"$first" is a text of 1000000 characters',
    ],
    [
      "a list in a filter that is too long",
      EVENTS,
      { where: { types: Array(2_000).fill("ARTIFACT_READ") } },
      "has 2000 entries",
    ],
  ])("are rejected by their shape: %s", (_what, source, variables, message) => {
    const found = problems(source, variables);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
    expect(found[0]?.length).toBeLessThan(200);
  });

  it("are BAD_USER_INPUT", async () => {
    const { errors } = await ask(fakeServices(), KEYS, { keys: [{ tenantId: 1 }] });
    expect(errors.map(({ extensions }) => extensions.code)).toContain("BAD_USER_INPUT");
  });
});

describe("valid variables", () => {
  it("are coerced once: cost and execution use the same values", () => {
    let reads = 0;
    const variableValues = {
      get keys() {
        reads += 1;
        return [{ tenantId: "t", workflowId: "w", artifactId: "a" }];
      },
    };
    const prepared = prepareOperation({ schema, document: parse(KEYS), variableValues });
    if (!isPrepared(prepared)) throw new Error("not prepared");
    // The shape is checked before the values are coerced.
    expect(reads).toBe(2);
    expect(queryCost(prepared)).toBe(1 + 1);
    expect(queryCost(prepared)).toBe(1 + 1);
    expect(reads).toBe(2);
  });

  it("may contain JSON objects with long lists", () => {
    const source = "query ($m: JSONObject) { artifacts(where: { metadata: $m }) { totalCount } }";
    expect(problems(source, { m: { list: Array(5_000).fill(1) } })).toEqual([]);
  });
});

describe("the cost of an operation", () => {
  const cost = (source: string, variableValues = {}, operationName?: string) => {
    const prepared = prepareOperation({ schema, document: parse(source), variableValues, operationName });
    if (!isPrepared(prepared)) throw new Error("not prepared");
    return queryCost(prepared);
  };

  it("multiplies a list's selection by its page size, also through fragments and for a named operation", () => {
    expect(cost("{ viewer { actor role } }")).toBe(3);
    expect(cost("{ artifacts(first: 10) { nodes { id } } }")).toBe(50 + 10 * 2);
    expect(cost("query ($n: Int) { artifacts(first: $n) { nodes { id } } }", { n: 500 })).toBe(50 + 500 * 2);
    expect(
      cost("{ artifacts(first: 10) { ...rows } } fragment rows on ArtifactConnection { nodes { id } }"),
    ).toBe(70);
    expect(cost("{ tierStats { ... on TierStats { tier } __typename } }")).toBe(1 + 3 * 2);
    expect(cost("query a { viewer { actor } } query b { viewer { actor role } }", {}, "b")).toBe(3);
  });
});
