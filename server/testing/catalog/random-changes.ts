import { keyText } from "@tierkeep/schema/domain/keys";
import { TIERS, type Tier } from "@tierkeep/schema/domain/tiers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Catalog, UsageByTier } from "../../src/catalog/catalog.ts";
import type { Change } from "../../src/catalog/changes.ts";
import type { ArtifactRow } from "../../src/catalog/rows.ts";
import type { OpenForTest } from "./opened-catalog.ts";
import {
  all,
  key,
  lifecycleJob,
  move,
  NOW,
  newObject,
  purge,
  startJob,
  step,
  whole,
  write,
} from "./sample-changes.ts";

const paths = fc
  .tuple(fc.constantFrom("a", "é", "🎼"), fc.constantFrom("x", "y"), fc.constantFrom("1", "2"))
  .map((names) => names.join("/"));
const tiers = fc.constantFrom(...TIERS);
const instants = fc.integer({ min: -200, max: 200 }).map((days) => NOW + days * 24 * 60 * 60 * 1000);

const changes: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(paths, tiers, fc.string({ maxLength: 9 }), instants)
      .map(([to, tier, text, at]) => write(to, { tier, text, at })),
  },
  { weight: 1, arbitrary: paths.map((to) => ({ ...write(to), bytes: null })) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(paths, tiers, instants, fc.boolean())
      .map(([of, to, at, dryRun]) => move(of, to, { at, dryRun })),
  },
  { weight: 2, arbitrary: fc.tuple(paths, fc.boolean()).map(([of, dryRun]) => purge(of, { dryRun })) },
);

/** Settling and lifecycle steps are created from the current rows. */
const rounds = fc.array(
  fc.tuple(fc.array(changes, { maxLength: 12 }), fc.constantFrom("settle", "age", "nothing")),
  {
    minLength: 1,
    maxLength: 6,
  },
);

export function randomChanges(open: OpenForTest, runs: number) {
  describe("random changes", () => {
    it("keep counters equal to a full count, lists consistent and every object known", async () => {
      await fc.assert(
        fc.asyncProperty(rounds, async (script) => {
          await using opened = await open();
          const { catalog } = opened;
          const seen = new Map<string, ArtifactRow>();
          const remember = (rows: readonly ArtifactRow[]) => {
            for (const row of rows) seen.set(row.object, row);
          };
          for (const [group, then] of script) {
            for (const outcome of await catalog.commitAll(group)) {
              const result = outcome.ok ? outcome.result : null;
              if (typeof result === "object" && result !== null && "artifact" in result)
                remember([result.artifact]);
            }
            await catalog.commitAll(await followUps(catalog, then));
          }
          await agrees(catalog, await all(catalog), seen);
        }),
        { numRuns: runs },
      );
    });
  });
}

async function followUps(catalog: Catalog, then: "settle" | "age" | "nothing"): Promise<readonly Change[]> {
  const rows = await all(catalog);
  if (then === "settle") {
    return rows.slice(0, 3).map((row) => ({ kind: "settled", key: key(keyText(row)), object: row.object }));
  }
  if (then === "nothing") return [];
  const job = lifecycleJob({ id: newObject(), dryRun: false, asOf: NOW });
  return [
    startJob(job),
    ...rows.map((row, index) => step(job, row, { n: index + 1 })),
    {
      kind: "finishJob",
      jobId: job.id,
      status: "SUCCEEDED",
      errorCode: null,
      error: null,
      durationSeconds: 1,
      at: NOW,
      actor: "x",
    },
  ];
}

async function agrees(
  catalog: Catalog,
  rows: readonly ArtifactRow[],
  seen: ReadonlyMap<string, ArtifactRow>,
) {
  expect(await catalog.miscounts(9)).toEqual([]);
  expect(await catalog.held()).toEqual(counted(rows));
  const tenants = await catalog.listTenants(null, whole());
  expect(await catalog.countTenants(null)).toBe(tenants.length);
  for (const [n, held] of (await catalog.usageByTenants(tenants)).entries()) {
    expect(held).toEqual(counted(rows.filter((row) => row.tenantId === tenants[n])));
  }
  for (const tenantId of tenants) {
    const workflows = (await catalog.listWorkflows(tenantId, whole())).map((workflowId) => ({
      tenantId,
      workflowId,
    }));
    expect(await catalog.countWorkflows(tenantId)).toBe(workflows.length);
    for (const [n, held] of (await catalog.usageByWorkflows(workflows)).entries()) {
      const { workflowId } = workflows[n] ?? { workflowId: "" };
      expect(held).toEqual(
        counted(rows.filter((row) => row.tenantId === tenantId && row.workflowId === workflowId)),
      );
    }
  }
  for (const tier of TIERS) {
    const holders = [...new Set(rows.filter((row) => row.tier === tier).map((row) => row.tenantId))];
    expect(await catalog.listTenants(tier, whole())).toEqual(holders);
    expect(await catalog.countTenants(tier)).toBe(holders.length);
    const due = await catalog.due(tier, null, NOW, null, 100);
    expect(due).toHaveLength(rows.filter((row) => row.tier === tier && row.ageSince < NOW).length);
  }
  const byAge = await catalog.listArtifacts({}, { field: "AGE", direction: "DESC" }, whole());
  expect(byAge).toEqual(rows.toSorted((a, b) => a.ageSince - b.ageSince || a.row - b.row));
  const riding = rows.filter((row) => row.inline);
  expect(await catalog.unsettledTotal()).toEqual({
    count: riding.length,
    bytes: riding.reduce((sum, row) => sum + row.sizeBytes, 0),
  });
  expect((await catalog.unsettled("files", 100)).map(({ object }) => object).toSorted()).toEqual(
    riding.map(({ object }) => object).toSorted(),
  );
  expect(await catalog.strays("files", [...seen.keys()])).toEqual([]);
  expect(new Set(rows.map(({ version }) => version)).size).toBe(rows.length);
  const events = await catalog.listEvents({}, "ASC", whole(100_000));
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, n) => n + 1));
}

function counted(rows: readonly ArtifactRow[]): UsageByTier {
  const of = (tier: Tier) => {
    const within = rows.filter((row) => row.tier === tier);
    return { artifactCount: within.length, totalBytes: within.reduce((sum, row) => sum + row.sizeBytes, 0) };
  };
  return { HOT: of("HOT"), WARM: of("WARM"), COLD: of("COLD") };
}
