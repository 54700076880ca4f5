import type { ArtifactFilter, ArtifactOrder } from "@tierkeep/sdk";
import { beforeAll, describe, expect, it } from "vitest";
import {
  ask,
  codesOf,
  dataOf,
  daysAfter,
  forEachOf,
  newTenant,
  nextMillisecond,
  refusalOf,
} from "../support/client.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();
const tenantId = newTenant("filtered");
const other = newTenant("other");

/** Named `workflow/artifact`, in the order of the list. */
async function namesOf(where: ArtifactFilter, orderBy?: ArtifactOrder): Promise<string[]> {
  const { nodes } = await shared.tierkeep.artifacts({ where, first: 500, ...(orderBy ? { orderBy } : {}) });
  return nodes.map(({ workflowId, artifactId }) => `${workflowId}/${artifactId}`);
}

async function write(key: { tenantId: string; workflowId: string; artifactId: string }, metadata = {}) {
  return await shared.tierkeep.writeArtifact({ ...key, content: { text: "x" }, metadata });
}

describe("filters by name and tier", () => {
  beforeAll(async () => {
    const names = ["w1/a.txt", "w1/A.txt", "w1/a%.txt", "w1/a_b", "w1/aéz", "w1/a😀", "w2/a.txt", "w2/b.txt"];
    await forEachOf(names, (name) => {
      const [workflowId = "", artifactId = ""] = name.split("/");
      return write({ tenantId, workflowId, artifactId });
    });
    await write({ tenantId: other, workflowId: "w2", artifactId: "c.txt" });
    await shared.tierkeep.promoteArtifact({
      tenantId,
      workflowId: "w2",
      artifactId: "a.txt",
      toTier: "WARM",
    });
    await shared.tierkeep.promoteArtifact({
      tenantId,
      workflowId: "w2",
      artifactId: "b.txt",
      toTier: "COLD",
    });
  });

  it.each<[string, Omit<ArtifactFilter, "tenantId">, string[]]>([
    [
      "everything by default, in code point order",
      {},
      ["w1/A.txt", "w1/a%.txt", "w1/a.txt", "w1/a_b", "w1/aéz", "w1/a😀", "w2/a.txt", "w2/b.txt"],
    ],
    ["a workflow", { workflowId: "w2" }, ["w2/a.txt", "w2/b.txt"]],
    ["a missing workflow", { workflowId: "w3" }, []],
    ["a tier", { tiers: ["WARM"] }, ["w2/a.txt"]],
    ["several tiers", { tiers: ["COLD", "WARM", "COLD"] }, ["w2/a.txt", "w2/b.txt"]],
    ["a literal prefix", { artifactIdPrefix: "a." }, ["w1/a.txt", "w2/a.txt"]],
    ["a prefix in capitals", { artifactIdPrefix: "A" }, ["w1/A.txt"]],
    ["a prefix with a percent sign", { artifactIdPrefix: "a%" }, ["w1/a%.txt"]],
    ["a prefix with an underscore", { artifactIdPrefix: "a_" }, ["w1/a_b"]],
    ["a prefix beyond ASCII", { artifactIdPrefix: "aé" }, ["w1/aéz"]],
    ["a prefix beyond the basic plane", { artifactIdPrefix: "a😀" }, ["w1/a😀"]],
    ["a prefix that is a complete name", { artifactIdPrefix: "b.txt" }, ["w2/b.txt"]],
    ["a prefix without a match", { artifactIdPrefix: "*" }, []],
    ["an empty prefix", { artifactIdPrefix: "", workflowId: "w2" }, ["w2/a.txt", "w2/b.txt"]],
    [
      "a combination of all filters",
      { workflowId: "w1", tiers: ["HOT"], artifactIdPrefix: "a." },
      ["w1/a.txt"],
    ],
  ])("select %s", async (_what, where, names) => {
    expect(await namesOf({ tenantId, ...where })).toEqual(names);
    const { totalCount } = await shared.tierkeep.artifacts({
      where: { tenantId, ...where },
      first: 0,
      withTotalCount: true,
    });
    expect(totalCount).toBe(names.length);
  });

  it("select a workflow's name in all tenants", async () => {
    const { nodes } = await shared.tierkeep.artifacts({ where: { workflowId: "w2" } });
    expect(nodes.map((artifact) => artifact.tenantId).sort()).toEqual([tenantId, tenantId, other].sort());
  });

  it("find nothing in a missing tenant", async () => {
    expect(await namesOf({ tenantId: newTenant() })).toEqual([]);
  });

  it("apply to the lists of a tenant and of a workflow", async () => {
    const query = `query ($tenantId: String!, $where: ArtifactFilter, $orderBy: ArtifactOrder) { tenant(tenantId: $tenantId) {
      artifacts(where: $where, orderBy: $orderBy) { nodes { artifactId } totalCount }
      workflow(workflowId: "w2") { artifacts(where: { tiers: [COLD] }, orderBy: { field: SIZE }) { nodes { artifactId } totalCount } }
    } }`;
    expect(
      await dataOf(shared.server, query, {
        tenantId,
        where: { tenantId, workflowId: "w2" },
        orderBy: { field: "KEY", direction: "DESC" },
      }),
    ).toEqual({
      tenant: {
        artifacts: { nodes: [{ artifactId: "b.txt" }, { artifactId: "a.txt" }], totalCount: 2 },
        workflow: { artifacts: { nodes: [{ artifactId: "b.txt" }], totalCount: 1 } },
      },
    });
  });

  it.each([
    ["Tenant.artifacts of another tenant", `artifacts(where: { tenantId: "${other}" }) { totalCount }`],
    [
      "Workflow.artifacts of another workflow",
      `workflow(workflowId: "w1") { artifacts(where: { workflowId: "w2" }) { totalCount } }`,
    ],
    [
      "Workflow.artifacts of another tenant",
      `workflow(workflowId: "w1") { artifacts(where: { tenantId: "${other}" }) { totalCount } }`,
    ],
  ])("are refused with BAD_USER_INPUT if they contradict their parent: %s", async (_what, field) => {
    const query = `query ($tenantId: String!) { tenant(tenantId: $tenantId) { ${field} } }`;
    expect(await codesOf(shared.server, query, { tenantId })).toEqual(["BAD_USER_INPUT"]);
  });

  it.each<[string, ArtifactFilter, string, string]>([
    ["an empty list of tiers", { tiers: [] }, "BAD_USER_INPUT", "where.tiers"],
    ["asOf without olderThanDays", { asOf: "2030-01-01T00:00:00Z" }, "BAD_USER_INPUT", "where.asOf"],
    ["an age below zero", { olderThanDays: -1 }, "BAD_USER_INPUT", "where.olderThanDays"],
    ["a bad tenant", { tenantId: "../x" }, "INVALID_IDENTIFIER", "where.tenantId"],
    ["a bad workflow", { workflowId: "a/b" }, "INVALID_IDENTIFIER", "where.workflowId"],
  ])("refuse %s", async (_what, where, code, argument) => {
    expect(await refusalOf(shared.tierkeep.artifacts({ where }))).toMatchObject({ code, argument });
  });
});

describe("filters by metadata", () => {
  const docs = newTenant("docs");
  beforeAll(async () => {
    const documents: Record<string, Record<string, unknown>> = {
      number: { v: 1 },
      text: { v: "1" },
      yes: { v: true },
      nothing: { v: null },
      absent: { w: 1 },
      list: { v: [1, 2] },
      object: { v: { a: 1, b: { c: [null, "x"] } }, w: 2 },
      accent: { schlüssel: "wért" },
      odd: { "a.b": 1, "$[0]": 2, '"': 3 },
    };
    await forEachOf(Object.entries(documents), ([artifactId, metadata]) =>
      write({ tenantId: docs, workflowId: "w", artifactId }, metadata),
    );
  });

  it.each<[Record<string, unknown>, string[]]>([
    [{ v: 1 }, ["number"]],
    [{ v: 1.0 }, ["number"]],
    [{ v: "1" }, ["text"]],
    [{ v: true }, ["yes"]],
    [{ v: null }, ["nothing"]],
    [{ v: [1, 2] }, ["list"]],
    [{ v: [2, 1] }, []],
    [{ v: [1] }, []],
    [{ v: { b: { c: [null, "x"] }, a: 1 } }, ["object"]],
    [{ v: { a: 1 } }, []],
    [{ w: 1 }, ["absent"]],
    [{ w: 2, v: { a: 1, b: { c: [null, "x"] } } }, ["object"]],
    [{ w: 2, v: 1 }, []],
    [{ schlüssel: "wért" }, ["accent"]],
    [{ "a.b": 1 }, ["odd"]],
    [{ "$[0]": 2 }, ["odd"]],
    [{ '"': 3 }, ["odd"]],
    [{ constructor: null }, []],
  ])("select artifacts with an equal JSON value for every given key: %j", async (metadata, names) => {
    const found = await namesOf({ tenantId: docs, metadata });
    expect(found).toEqual(names.map((name) => `w/${name}`));
  });

  it("select everything for an empty object", async () => {
    expect(await namesOf({ tenantId: docs, metadata: {} })).toHaveLength(9);
  });

  it("compare numbers by value, in any notation", async () => {
    const query = `query ($tenantId: String!) { artifacts(where: { tenantId: $tenantId, metadata: { v: 1e0 } }) { nodes { artifactId } } }`;
    expect(await dataOf(shared.server, query, { tenantId: docs })).toEqual({
      artifacts: { nodes: [{ artifactId: "number" }] },
    });
  });
});

describe("filters by age", () => {
  it("are strict: an age of exactly olderThanDays does not match", async () => {
    const tenantId = newTenant();
    const { artifact } = await write({ tenantId, workflowId: "w", artifactId: "a" });
    const at = (days: number, ms: number) => ({
      tenantId,
      olderThanDays: days,
      asOf: daysAfter(artifact.ageSince, days, ms),
    });
    expect(await namesOf(at(7, 0))).toEqual([]);
    expect(await namesOf(at(7, 1))).toEqual(["w/a"]);
    expect(await namesOf(at(0.5, 0))).toEqual([]);
    expect(await namesOf(at(0.5, 1))).toEqual(["w/a"]);
    expect(await namesOf({ tenantId, olderThanDays: 1 })).toEqual([]);
    expect(await namesOf({ tenantId, olderThanDays: 1, asOf: daysAfter(artifact.ageSince, -5) })).toEqual([]);
  });

  it("count from the last move to a hotter tier", async () => {
    const key = { tenantId: newTenant(), workflowId: "w", artifactId: "a" };
    const { artifact } = await write(key);
    await shared.tierkeep.promoteArtifact({ ...key, toTier: "COLD" });
    const { artifact: restored } = await shared.tierkeep.restoreArtifact(key);
    expect(Date.parse(restored.ageSince)).toBeGreaterThanOrEqual(Date.parse(artifact.ageSince));
    const older = { tenantId: key.tenantId, olderThanDays: 7, asOf: daysAfter(restored.ageSince, 7) };
    expect(await namesOf(older)).toEqual([]);
  });
});

describe("orders", () => {
  const sorted = newTenant("sorted");
  const fields = {
    KEY: "key",
    AGE: "ageSince",
    CREATED_AT: "createdAt",
    MODIFIED_AT: "modifiedAt",
    SIZE: "sizeBytes",
  } as const;

  beforeAll(async () => {
    const key = (artifactId: string) => ({ tenantId: sorted, workflowId: "w", artifactId });
    // Writes f first and a last. The later changes make the three orders by time differ from each other.
    for (const [index, artifactId] of ["f", "e", "d", "c", "b", "a"].entries()) {
      await shared.tierkeep.writeArtifact({
        ...key(artifactId),
        tier: "WARM",
        content: { text: "x".repeat((index * 5) % 7) },
      });
      await nextMillisecond();
    }
    await shared.tierkeep.writeArtifact({ ...key("d"), tier: "WARM", content: { text: "rewritten" } });
    await nextMillisecond();
    await shared.tierkeep.restoreArtifact(key("f"));
  });

  it.each([
    ["KEY", "abcdef"],
    ["AGE", "fdabce"],
    ["CREATED_AT", "fedcba"],
    ["MODIFIED_AT", "fecbad"],
  ] as const)(
    "sort by %s ascending, and descending in exactly the reverse order",
    async (field, expected) => {
      const ascending = await namesOf({ tenantId: sorted }, { field });
      expect(ascending.map((name) => name.slice(2)).join("")).toBe(expected);
      const descending = await namesOf({ tenantId: sorted }, { field, direction: "DESC" });
      expect(descending).toEqual(ascending.toReversed());
    },
  );

  it.each(Object.keys(fields) as (keyof typeof fields)[])(
    "sort by the values of the artifacts' own fields: %s",
    async (field) => {
      const { nodes } = await shared.tierkeep.artifacts({ where: { tenantId: sorted }, orderBy: { field } });
      const name = fields[field];
      const values = nodes.map((artifact) => (name === "key" ? artifact.artifactId : artifact[name]));
      const ascending = values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
      expect(values).toEqual(field === "AGE" ? ascending.toReversed() : ascending);
    },
  );

  it("refuse an unknown field", async () => {
    const { errors } = await ask(
      shared.server,
      "query ($orderBy: ArtifactOrder) { artifacts(orderBy: $orderBy) { totalCount } }",
      { orderBy: { field: "NAME" } },
    );
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(["BAD_USER_INPUT"]);
  });
});
