import type { ArtifactKey, LifecycleEvent, LifecycleEventFilter } from "@tierkeep/sdk";
import { beforeAll, describe, expect, it } from "vitest";
import { codesOf, dataOf, daysAfter, newTenant, refusalOf, sha256 } from "../support/client.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();

const tenantId = newTenant("told");
const a: ArtifactKey = { tenantId, workflowId: "w1", artifactId: "a" };
const b: ArtifactKey = { tenantId, workflowId: "w2", artifactId: "b" };
let log: readonly LifecycleEvent[] = [];
let jobId = "";

async function events(where: LifecycleEventFilter): Promise<readonly LifecycleEvent[]> {
  return (await shared.tierkeep.lifecycleEventHistory({ where, direction: "ASC", first: 500 })).nodes;
}

beforeAll(async () => {
  const { artifact } = await shared.tierkeep.writeArtifact({ ...a, content: { text: "a" } });
  await shared.tierkeep.writeArtifact({ ...b, content: { text: "bb" } });
  await shared.tierkeep.promoteArtifact({ ...b, toTier: "COLD", dryRun: true });
  await shared.tierkeep.promoteArtifact({ ...b, toTier: "COLD" });
  const run = await shared.tierkeep.runLifecycle({ tenantId, asOf: daysAfter(artifact.ageSince, 8) });
  jobId = run.job.id;
  await shared.tierkeep.restoreArtifact(a);
  await shared.tierkeep.purgeArtifact(b);
  log = await events({ tenantId });
});

describe("lifecycleEvents", () => {
  it("record every change in order, with its actor", async () => {
    expect(log.map(({ type, artifactId, dryRun }) => [type, artifactId, dryRun])).toEqual([
      ["ARTIFACT_WRITTEN", "a", false],
      ["ARTIFACT_WRITTEN", "b", false],
      ["ARTIFACT_PROMOTED", "b", true],
      ["ARTIFACT_PROMOTED", "b", false],
      ["LIFECYCLE_JOB_STARTED", null, false],
      ["PROMOTED_TO_WARM", "a", false],
      ["LIFECYCLE_JOB_COMPLETED", null, false],
      ["ARTIFACT_RESTORED", "a", false],
      ["ARTIFACT_PURGED", "b", false],
    ]);
    expect(new Set(log.map(({ actor }) => actor))).toEqual(new Set(["local"]));
    const times = log.map(({ timestamp }) => Date.parse(timestamp));
    expect(times).toEqual(times.toSorted((x, y) => x - y));
    expect(new Set(log.map(({ id }) => id)).size).toBe(log.length);
  });

  it("have the artifact's facts at the time of the event", async () => {
    expect(log[0]).toMatchObject({
      ...a,
      fromTier: null,
      toTier: "HOT",
      sizeBytes: 1,
      checksum: sha256("a"),
      jobId: null,
      errorCode: null,
      error: null,
    });
    const promoted = log[5];
    expect(promoted).toMatchObject({ ...a, fromTier: "HOT", toTier: "WARM", jobId, sizeBytes: 1 });
    expect(promoted?.ageDays).toBeCloseTo(8, 3);
    expect(log[4]).toMatchObject({ tenantId, workflowId: null, artifactId: null, jobId });
  });

  it("link to the current artifact, or null after its purge", async () => {
    const query = `query ($tenantId: String!) {
      lifecycleEvents(where: { tenantId: $tenantId, types: [ARTIFACT_WRITTEN] }, direction: ASC) {
        nodes { artifactId artifact { tier promotedFrom } }
      }
    }`;
    expect(await dataOf(shared.server, query, { tenantId })).toEqual({
      lifecycleEvents: {
        nodes: [
          { artifactId: "a", artifact: { tier: "HOT", promotedFrom: "WARM" } },
          { artifactId: "b", artifact: null },
        ],
      },
    });
  });

  it("are found by their id", async () => {
    const id = log[3]?.id ?? "";
    expect(await shared.tierkeep.lifecycleEvent({ id })).toMatchObject({ ...log[3] });
  });

  it("are newest first by default, and each edge has its event's cursor", async () => {
    const query = `query ($tenantId: String!) { lifecycleEvents(where: { tenantId: $tenantId }) { edges { cursor node { cursor id } } } }`;
    const { lifecycleEvents } = await dataOf<{
      lifecycleEvents: { edges: { cursor: string; node: { cursor: string; id: string } }[] };
    }>(shared.server, query, { tenantId });
    expect(lifecycleEvents.edges.map(({ node }) => node.id)).toEqual(log.map(({ id }) => id).toReversed());
    for (const { cursor, node } of lifecycleEvents.edges) expect(cursor).toBe(node.cursor);
  });

  it.each<[string, () => LifecycleEventFilter, number[]]>([
    ["a workflow", () => ({ workflowId: "w2" }), [1, 2, 3, 8]],
    ["an artifact", () => ({ artifactId: "a" }), [0, 5, 7]],
    ["a complete key", () => ({ workflowId: "w1", artifactId: "b" }), []],
    ["a type", () => ({ types: ["ARTIFACT_WRITTEN"] }), [0, 1]],
    ["types", () => ({ types: ["ARTIFACT_PURGED", "PROMOTED_TO_WARM"] }), [5, 8]],
    ["a job", () => ({ jobId }), [4, 5, 6]],
    ["an id of no job", () => ({ jobId: "none" }), []],
    ["dry runs", () => ({ dryRun: true }), [2]],
    ["live runs", () => ({ dryRun: false, artifactId: "b" }), [1, 3, 8]],
    ["since, inclusive", () => ({ since: log[8]?.timestamp ?? "", artifactId: "b" }), [8]],
    ["until, exclusive", () => ({ until: log[0]?.timestamp ?? "" }), []],
    [
      "a combination of all filters",
      () => ({
        types: ["ARTIFACT_PROMOTED"],
        dryRun: false,
        workflowId: "w2",
        since: log[0]?.timestamp ?? "",
      }),
      [3],
    ],
  ])("can be filtered by %s", async (_what, where, expected) => {
    const found = await events({ tenantId, ...where() });
    expect(found.map(({ id }) => log.findIndex((event) => event.id === id))).toEqual(expected);
    const { totalCount } = await shared.tierkeep.lifecycleEventHistory({
      where: { tenantId, ...where() },
      first: 0,
      withTotalCount: true,
    });
    expect(totalCount).toBe(expected.length);
  });

  it("do not include those of another tenant", async () => {
    expect(await events({ tenantId: newTenant() })).toEqual([]);
  });

  it.each<[string, LifecycleEventFilter, string, string]>([
    ["an empty list of types", { types: [] }, "BAD_USER_INPUT", "where.types"],
    ["a bad tenant", { tenantId: "." }, "INVALID_IDENTIFIER", "where.tenantId"],
    ["a bad workflow", { workflowId: "a/b" }, "INVALID_IDENTIFIER", "where.workflowId"],
    ["a bad artifact", { artifactId: "a.metadata.json" }, "INVALID_IDENTIFIER", "where.artifactId"],
  ])("refuse %s", async (_what, where, code, argument) => {
    expect(await refusalOf(shared.tierkeep.lifecycleEventHistory({ where }))).toMatchObject({
      code,
      argument,
    });
  });

  it("refuse an unknown type with BAD_USER_INPUT", async () => {
    const query = "query ($where: LifecycleEventFilter) { lifecycleEvents(where: $where) { totalCount } }";
    expect(await codesOf(shared.server, query, { where: { types: ["LOST"] } })).toEqual(["BAD_USER_INPUT"]);
  });
});

describe("lifecycleEventCursor", () => {
  it("is the newest event's cursor: only later events follow it", async () => {
    const after = await shared.tierkeep.lifecycleEventCursor();
    const follow = async () =>
      (await shared.tierkeep.lifecycleEventHistory({ direction: "ASC", after, first: 500 })).nodes;
    expect(await follow()).toEqual([]);
    const key = { tenantId: newTenant(), workflowId: "w", artifactId: "new" };
    await shared.tierkeep.writeArtifact({ ...key, content: { text: "x" } });
    expect((await follow()).map(({ artifactId }) => artifactId)).toEqual(["new"]);
    expect(await shared.tierkeep.lifecycleEventCursor()).toBe((await follow())[0]?.cursor);
  });
});
