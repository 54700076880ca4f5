import type { ArtifactOrder, ArtifactsQueryVariables } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import { forEachOf, newTenant, refusalOf } from "../support/client.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();

const orders: ArtifactOrder[] = (["KEY", "AGE", "CREATED_AT", "MODIFIED_AT", "SIZE"] as const).flatMap(
  (field) => (["ASC", "DESC"] as const).map((direction) => ({ field, direction })),
);

/** Writes a workflow with the artifacts a-00, a-02, … a-58, of different sizes. */
async function thirtyArtifacts() {
  const workflow = { tenantId: newTenant(), workflowId: "w" };
  const names = Array.from({ length: 30 }, (_, index) => `a-${String(2 * index).padStart(2, "0")}`);
  await forEachOf(names, (artifactId) =>
    shared.tierkeep.writeArtifact({
      ...workflow,
      artifactId,
      content: { text: "x".repeat(1 + Number(artifactId.slice(2))) },
    }),
  );
  return { workflow, names };
}

async function pagesOf(
  variables: ArtifactsQueryVariables,
  between: (seen: readonly string[]) => Promise<void>,
) {
  const seen: string[] = [];
  let after: string | null = null;
  for (;;) {
    const page: Awaited<ReturnType<typeof shared.tierkeep.artifacts>> = await shared.tierkeep.artifacts({
      ...variables,
      first: 10,
      after,
    });
    seen.push(...page.nodes.map(({ artifactId }) => artifactId));
    if (!page.pageInfo.hasNextPage) return seen;
    after = page.pageInfo.endCursor;
    await between(seen);
  }
}

describe.each(orders)("artifacts by $field $direction", (orderBy) => {
  it("neither skip nor repeat a row when others are added and deleted between pages", async () => {
    const { workflow, names } = await thirtyArtifacts();
    const gone = new Set<string>();
    const come = new Set<string>();
    const seen = await pagesOf({ where: workflow, orderBy }, async (soFar) => {
      if (come.size > 0) return;
      // Deletes the cursor's row, one before it, and one of a later page.
      const rest = names.filter((name) => !soFar.includes(name));
      for (const artifactId of [soFar.at(-1), soFar[3], rest[5]]) {
        if (artifactId === undefined) throw new Error("there are more rows than that");
        await shared.tierkeep.purgeArtifact({ ...workflow, artifactId });
        gone.add(artifactId);
      }
      for (const artifactId of ["a-01", "a-31", "a-99"]) {
        await shared.tierkeep.writeArtifact({ ...workflow, artifactId, content: { text: artifactId } });
        come.add(artifactId);
      }
    });
    const constant = names.filter((name) => !gone.has(name));
    expect(seen.filter((name) => constant.includes(name)).sort()).toEqual(constant);
    expect(new Set(seen).size).toBe(seen.length);
  });
});

describe("a cursor of artifacts", () => {
  it.each<[string, ArtifactsQueryVariables]>([
    ["another filter", { where: { tiers: ["HOT"] } }],
    ["another order", { orderBy: { field: "SIZE" } }],
    ["another direction", { orderBy: { field: "KEY", direction: "DESC" } }],
  ])("is refused with CURSOR_INVALID for %s", async (_what, other) => {
    const { workflow } = await thirtyArtifacts();
    const page = await shared.tierkeep.artifacts({ where: workflow, first: 5 });
    const variables = { ...other, where: { ...workflow, ...other.where }, after: page.pageInfo.endCursor };
    expect(await refusalOf(shared.tierkeep.artifacts(variables))).toMatchObject({
      code: "CURSOR_INVALID",
      argument: "after",
    });
  });

  it("is refused in the lists of another tenant and of another workflow", async () => {
    const [{ workflow: one }, { workflow: two }] = [await thirtyArtifacts(), await thirtyArtifacts()];
    const { pageInfo } = await shared.tierkeep.artifacts({ where: { tenantId: one.tenantId }, first: 5 });
    const foreign = shared.tierkeep.artifacts({
      where: { tenantId: two.tenantId },
      after: pageInfo.endCursor,
    });
    expect(await refusalOf(foreign)).toMatchObject({ code: "CURSOR_INVALID" });
    const narrower = shared.tierkeep.artifacts({ where: one, before: pageInfo.endCursor, last: 5 });
    expect(await refusalOf(narrower)).toMatchObject({ code: "CURSOR_INVALID", argument: "before" });
  });

  it("remains valid for an equivalent filter", async () => {
    const { workflow, names } = await thirtyArtifacts();
    const metadata = { a: 1, b: { c: 2, d: 3 } };
    await forEachOf(names.slice(0, 4), (artifactId) =>
      shared.tierkeep.writeArtifact({ ...workflow, artifactId, content: { text: "x" }, metadata }),
    );
    const first = await shared.tierkeep.artifacts({
      where: { ...workflow, tiers: ["WARM", "HOT"], metadata: { a: 1, b: { c: 2, d: 3 } } },
      first: 2,
    });
    const second = await shared.tierkeep.artifacts({
      where: { metadata: { b: { d: 3, c: 2 }, a: 1 }, tiers: ["HOT", "WARM", "HOT"], ...workflow },
      first: 2,
      after: first.pageInfo.endCursor,
    });
    expect(second.nodes.map(({ artifactId }) => artifactId)).toEqual(["a-04", "a-06"]);
  });
});

describe("a cursor of events", () => {
  it("is a position in the log, for any filter and direction", async () => {
    const { workflow, names } = await thirtyArtifacts();
    const where = { tenantId: workflow.tenantId };
    const all = await shared.tierkeep.lifecycleEventHistory({ where, direction: "ASC", first: 500 });
    expect(all.nodes).toHaveLength(names.length);
    const middle = all.nodes[9]?.cursor ?? "";
    const newer = await shared.tierkeep.lifecycleEventHistory({ direction: "ASC", where, after: middle });
    expect(newer.nodes).toEqual(all.nodes.slice(10));
    const older = await shared.tierkeep.lifecycleEventHistory({ where, after: middle });
    expect(older.nodes).toEqual(all.nodes.slice(0, 9).toReversed());
    const narrower = { ...where, artifactId: all.nodes[20]?.artifactId ?? "" };
    const one = await shared.tierkeep.lifecycleEventHistory({
      direction: "ASC",
      where: narrower,
      after: middle,
    });
    expect(one.nodes).toEqual([all.nodes[20]]);
  });
});
