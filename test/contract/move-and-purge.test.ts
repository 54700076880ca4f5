import type { Artifact, ArtifactKey, LifecycleEvent } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import { daysAfter, newTenant, refusalOf, sha256 } from "../support/client.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();

async function written(tier: "HOT" | "WARM" | "COLD" = "HOT"): Promise<Artifact> {
  const key = { tenantId: newTenant(), workflowId: "weekly", artifactId: "a.txt" };
  return (await shared.tierkeep.writeArtifact({ ...key, tier, content: { text: "hello" } })).artifact;
}

function keyOf({ tenantId, workflowId, artifactId }: ArtifactKey): ArtifactKey {
  return { tenantId, workflowId, artifactId };
}

/** Newest first. */
async function eventsOf({ tenantId }: ArtifactKey): Promise<readonly LifecycleEvent[]> {
  return (await shared.tierkeep.lifecycleEventHistory({ where: { tenantId } })).nodes;
}

/** Returns every field of an artifact that does not change with time. */
async function stateOf(key: ArtifactKey) {
  const { ageDays: _, ...state } = (await shared.tierkeep.artifact(keyOf(key))) ?? { ageDays: 0 };
  return { ...state, stats: await shared.tierkeep.tierStats({ tenantId: key.tenantId }) };
}

describe("promoteArtifact", () => {
  it.each([
    ["HOT", "WARM"],
    ["HOT", "COLD"],
    ["WARM", "COLD"],
  ] as const)("moves from %s to the colder %s, and keeps the age", async (fromTier, toTier) => {
    const before = await written(fromTier);
    const moved = await shared.tierkeep.promoteArtifact({ ...keyOf(before), toTier });
    expect(moved).toMatchObject({ fromTier, toTier, dryRun: false });
    expect(moved.artifact).toMatchObject({
      id: before.id,
      tier: toTier,
      promotedFrom: fromTier,
      promotedAt: expect.any(String),
      createdAt: before.createdAt,
      modifiedAt: before.modifiedAt,
      ageSince: before.ageSince,
      checksum: before.checksum,
    });
    expect(await shared.tierkeep.artifactContent(keyOf(before))).toMatchObject({
      tier: toTier,
      text: "hello",
    });
    expect((await eventsOf(before))[0]).toMatchObject({
      ...keyOf(before),
      type: "ARTIFACT_PROMOTED",
      fromTier,
      toTier,
      sizeBytes: 5,
      checksum: sha256("hello"),
      dryRun: false,
      jobId: null,
      errorCode: null,
      error: null,
    });
  });

  it.each([
    ["WARM", "HOT"],
    ["COLD", "HOT"],
    ["COLD", "WARM"],
  ] as const)("moves from %s to the hotter %s, and resets the age", async (fromTier, toTier) => {
    const before = await written(fromTier);
    const { artifact } = await shared.tierkeep.promoteArtifact({ ...keyOf(before), toTier });
    expect(artifact).toMatchObject({ tier: toTier, promotedFrom: fromTier, modifiedAt: before.modifiedAt });
    expect(artifact.ageSince).toBe(artifact.promotedAt);
  });

  it("refuses the current tier with SAME_TIER", async () => {
    const artifact = await written("WARM");
    const again = shared.tierkeep.promoteArtifact({ ...keyOf(artifact), toTier: "WARM" });
    expect(await refusalOf(again)).toMatchObject({ code: "SAME_TIER", tier: "WARM" });
  });

  it("refuses changed content with PRECONDITION_FAILED", async () => {
    const artifact = await written();
    const input = { ...keyOf(artifact), toTier: "WARM" as const };
    const stale = shared.tierkeep.promoteArtifact({ ...input, ifChecksum: sha256("other") });
    expect(await refusalOf(stale)).toMatchObject({ code: "PRECONDITION_FAILED", checksum: sha256("hello") });
    const fitting = await shared.tierkeep.promoteArtifact({ ...input, ifChecksum: sha256("hello") });
    expect(fitting.artifact.tier).toBe("WARM");
  });
});

describe("restoreArtifact", () => {
  it.each([
    ["COLD", undefined, "HOT"],
    ["WARM", "HOT", "HOT"],
    ["COLD", "WARM", "WARM"],
  ] as const)(
    "restores from %s to toTier %s, which means %s, and resets the age",
    async (fromTier, toTier, expected) => {
      const before = await written(fromTier);
      const restored = await shared.tierkeep.restoreArtifact({
        ...keyOf(before),
        ...(toTier === undefined ? {} : { toTier }),
      });
      expect(restored).toMatchObject({ fromTier, toTier: expected, dryRun: false });
      expect(restored.artifact).toMatchObject({
        id: before.id,
        tier: expected,
        promotedFrom: fromTier,
        modifiedAt: before.modifiedAt,
      });
      expect(restored.artifact.ageSince).toBe(restored.artifact.promotedAt);
      expect(restored.artifact.nextTransition?.at).toBe(
        daysAfter(restored.artifact.ageSince, expected === "HOT" ? 7 : 30),
      );
      expect((await eventsOf(before))[0]).toMatchObject({
        type: "ARTIFACT_RESTORED",
        fromTier,
        toTier: expected,
        dryRun: false,
      });
    },
  );

  it("refuses a colder tier with BAD_USER_INPUT", async () => {
    const artifact = await written("WARM");
    const colder = shared.tierkeep.restoreArtifact({ ...keyOf(artifact), toTier: "COLD" });
    expect(await refusalOf(colder)).toMatchObject({ code: "BAD_USER_INPUT", argument: "input.toTier" });
  });

  it.each(["HOT", "WARM", "COLD"] as const)(
    "refuses an artifact that is already in %s with SAME_TIER",
    async (tier) => {
      const artifact = await written(tier);
      const again = shared.tierkeep.restoreArtifact({ ...keyOf(artifact), toTier: tier });
      expect(await refusalOf(again)).toMatchObject({ code: "SAME_TIER", tier });
    },
  );
});

describe("purgeArtifact", () => {
  it.each(["HOT", "WARM", "COLD"] as const)("deletes permanently from %s", async (tier) => {
    const artifact = await written(tier);
    expect(await shared.tierkeep.purgeArtifact(keyOf(artifact))).toEqual({
      ...keyOf(artifact),
      fromTier: tier,
      sizeBytes: 5,
      dryRun: false,
    });
    expect(await shared.tierkeep.artifact(keyOf(artifact))).toBeNull();
    expect(await shared.tierkeep.node({ id: artifact.id })).toBeNull();
    expect(await refusalOf(shared.tierkeep.download(keyOf(artifact)))).toMatchObject({
      code: "ARTIFACT_NOT_FOUND",
    });
    expect(await refusalOf(shared.tierkeep.restoreArtifact(keyOf(artifact)))).toMatchObject({
      code: "ARTIFACT_NOT_FOUND",
    });
    expect((await eventsOf(artifact))[0]).toMatchObject({
      ...keyOf(artifact),
      type: "ARTIFACT_PURGED",
      fromTier: tier,
      toTier: null,
      sizeBytes: 5,
      checksum: sha256("hello"),
    });
  });

  it("keeps the tenant and the workflow, without artifacts", async () => {
    const artifact = await written();
    await shared.tierkeep.purgeArtifact(keyOf(artifact));
    const tenant = await shared.tierkeep.tenant({ tenantId: artifact.tenantId });
    expect(tenant?.tierStats.map(({ artifactCount }) => artifactCount)).toEqual([0, 0, 0]);
    expect(await shared.tierkeep.workflow(artifact)).toMatchObject({ workflowId: "weekly" });
  });

  it("allows a new artifact under the same key and id", async () => {
    const first = await written();
    await shared.tierkeep.purgeArtifact(keyOf(first));
    const { artifact, created } = await shared.tierkeep.writeArtifact({
      ...keyOf(first),
      content: { text: "again" },
    });
    expect(created).toBe(true);
    expect(artifact.id).toBe(first.id);
    expect(artifact.createdAt).toBe(artifact.modifiedAt);
  });

  it("refuses changed content with PRECONDITION_FAILED", async () => {
    const artifact = await written();
    const stale = shared.tierkeep.purgeArtifact({ ...keyOf(artifact), ifChecksum: sha256("other") });
    expect(await refusalOf(stale)).toMatchObject({ code: "PRECONDITION_FAILED", checksum: sha256("hello") });
    const purged = await shared.tierkeep.purgeArtifact({ ...keyOf(artifact), ifChecksum: sha256("hello") });
    expect(purged.sizeBytes).toBe(5);
  });
});

type Action = (
  key: ArtifactKey,
  options?: { fromTier?: "HOT" | "WARM" | "COLD"; dryRun?: boolean },
) => Promise<unknown>;

const actions: [name: string, act: Action, event: string, toTier: string | null][] = [
  [
    "promoteArtifact",
    (key, options) => shared.tierkeep.promoteArtifact({ ...keyOf(key), toTier: "COLD", ...options }),
    "ARTIFACT_PROMOTED",
    "COLD",
  ],
  [
    "restoreArtifact",
    (key, options) => shared.tierkeep.restoreArtifact({ ...keyOf(key), ...options }),
    "ARTIFACT_RESTORED",
    "HOT",
  ],
  [
    "purgeArtifact",
    (key, options) => shared.tierkeep.purgeArtifact({ ...keyOf(key), ...options }),
    "ARTIFACT_PURGED",
    null,
  ],
];

describe.each(actions)("%s", (_name, act, type, toTier) => {
  it("refuses a missing key with ARTIFACT_NOT_FOUND", async () => {
    const key = { tenantId: newTenant(), workflowId: "weekly", artifactId: "a.txt" };
    const refusal = await refusalOf(act(key));
    expect(refusal).toMatchObject({ code: "ARTIFACT_NOT_FOUND", tier: undefined });
    expect(await eventsOf(key)).toEqual([]);
  });

  it("refuses a wrong fromTier and returns the actual tier", async () => {
    const artifact = await written("WARM");
    const refusal = await refusalOf(act(artifact, { fromTier: "COLD" }));
    expect(refusal).toMatchObject({ code: "ARTIFACT_NOT_FOUND", tier: "WARM" });
    await expect(act(artifact, { fromTier: "WARM" })).resolves.toMatchObject({ fromTier: "WARM" });
  });

  it("changes nothing in a dry run, and writes one event with dryRun", async () => {
    const artifact = await written("WARM");
    const before = await stateOf(artifact);
    const result = await act(artifact, { dryRun: true });
    expect(result).toMatchObject({ dryRun: true, fromTier: "WARM" });
    if (toTier !== null) {
      expect(result).toMatchObject({ toTier, artifact: { tier: "WARM", promotedAt: null } });
    }
    expect(await stateOf(artifact)).toEqual(before);
    const events = await eventsOf(artifact);
    expect(events.map((event) => [event.type, event.dryRun])).toEqual([
      [type, true],
      ["ARTIFACT_WRITTEN", false],
    ]);
    expect(events[0]).toMatchObject({ ...keyOf(artifact), fromTier: "WARM", toTier });
  });

  it("refuses a dry run like a live run, without an event", async () => {
    const artifact = await written("WARM");
    expect(await refusalOf(act(artifact, { fromTier: "HOT", dryRun: true }))).toMatchObject({
      code: "ARTIFACT_NOT_FOUND",
      tier: "WARM",
    });
    expect(await eventsOf(artifact)).toHaveLength(1);
  });
});
