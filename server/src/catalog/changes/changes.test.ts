import { isDeepStrictEqual } from "node:util";
import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { isHeld } from "@tierkeep/schema/domain/holds";
import { dueStep, LIFECYCLE_STEPS } from "@tierkeep/schema/domain/policy";
import { isHotter, TIERS } from "@tierkeep/schema/domain/tiers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemoryRecords } from "../../../testing/catalog/memory-records.ts";
import {
  key,
  lifecycleJob,
  move,
  NOW,
  purge,
  restoreJob,
  startJob,
  step,
  write,
} from "../../../testing/catalog/sample-changes.ts";
import type { RecordChange } from "../changes/all-changes.ts";
import { runGroup } from "../commit/run-group.ts";
import type { ArtifactRow } from "../rows.ts";

const tiers = fc.constantFrom(...TIERS);
const instants = fc.integer({ min: -200, max: 200 }).map((days) => NOW + days * DAY_MS);

const rows: fc.Arbitrary<ArtifactRow> = fc
  .tuple(tiers, instants, instants, fc.boolean(), fc.nat({ max: 99 }))
  .map(([tier, modifiedAt, ageSince, inline, sizeBytes]) => ({
    ...key("acme/daily/report"),
    tier,
    sizeBytes,
    checksum: "c".repeat(64),
    contentType: "text/plain",
    metadata: {},
    createdAt: modifiedAt,
    modifiedAt,
    promotedAt: null,
    promotedFrom: null,
    ageSince,
    damagedAt: null,
    version: 7,
    row: 3,
    object: "0".repeat(32),
    store: "files",
    inline,
  }));

const artifactWithOrWithoutHold = fc
  .tuple(rows, fc.constantFrom({}, { retention_override: "7_years" }))
  .map(([row, metadata]): ArtifactRow => ({ ...row, metadata }));

/** Returns the records after a change of this artifact, or of none. @throws the refusal */
function after(row: ArtifactRow | null, change: RecordChange, gate: string | null = null): MemoryRecords {
  const records = new MemoryRecords();
  if (row !== null) records.apply([{ put: "artifact", key: row, value: row }]);
  if ("jobId" in change && change.jobId !== null) {
    runGroup(records, [startJob(lifecycleJob({ id: change.jobId }))], null);
    records.events.length = 0;
  }
  if (gate !== null) records.apply([{ put: "gate", key: "purge", value: { jobIds: [gate] } }]);
  const [outcome] = runGroup(records, [change], null);
  if (outcome?.ok) return records;
  throw outcome !== undefined && "refusal" in outcome ? outcome.refusal : outcome;
}

const REPORT = "acme/daily/report";

describe("decisions", () => {
  it("never record a negative age, whatever the clock does", () => {
    fc.assert(
      fc.property(rows, tiers, instants, (row, tier, at) => {
        const changes: RecordChange[] = [write(REPORT, { at }), purge(REPORT, { at })];
        if (tier !== row.tier) changes.push(move(REPORT, tier, { at }));
        for (const change of changes) {
          expect(after(row, change).events[0]?.ageDays).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  it("never increase an artifact's age, and reset it only for a move to a hotter tier", () => {
    fc.assert(
      fc.property(rows, tiers, instants, (row, tier, at) => {
        fc.pre(tier !== row.tier);
        const facts = after(row, move(REPORT, tier, { at })).get("facts", row);
        expect(facts?.ageSince).toBe(isHotter(tier, row.tier) ? Math.max(at, row.ageSince) : row.ageSince);
      }),
    );
  });

  it("keep the object of a moved artifact, and make the object of a replaced or purged artifact garbage", () => {
    fc.assert(
      fc.property(rows, tiers, (row, tier) => {
        const { object, store } = row;
        const gone = { store, since: NOW, artifact: key(REPORT) };
        expect(after(row, write(REPORT)).get("garbage", object)).toEqual(gone);
        expect(after(row, purge(REPORT)).get("garbage", object)).toEqual(gone);
        if (tier !== row.tier) expect(after(row, move(REPORT, tier)).all("garbage")).toEqual([]);
      }),
    );
  });

  it("predict in a dry run exactly what a live run would do, item by item", () => {
    fc.assert(
      fc.property(
        artifactWithOrWithoutHold,
        instants,
        fc.constantFrom(...LIFECYCLE_STEPS),
        (row, asOf, asked) => {
          const live = lifecycleJob({ asOf });
          const dry = { ...live, dryRun: true };
          const lively = after(row, step(live, row, { step: asked }));
          const dryly = after(row, step(dry, row, { step: asked }));
          const [item] = lively.all("jobItem");
          const due = dueStep(row, live.retentionPolicy, asOf) === asked;
          expect(item?.item?.outcome).toBe(due ? "DONE" : "SKIPPED");
          const held = asked === "PURGE" && isHeld(row.metadata);
          expect(item?.item?.errorCode).toBe(held ? "HELD" : null);
          expect(dryly.all("jobItem")).toEqual([
            { item: { ...item?.item, outcome: due ? "PLANNED" : "SKIPPED" } },
          ]);
          expect(dryly.all("jobCounts")).toEqual(lively.all("jobCounts"));
          expect(dryly.get("artifact", row)).toEqual(row);
          expect([dryly.events, dryly.all("garbage"), dryly.all("unpublished")]).toEqual([[], [], []]);
        },
      ),
    );
  });

  it("refuse purges of artifacts on hold, dry or live, and every live purge while a reindex is unconfirmed", () => {
    fc.assert(
      fc.property(
        artifactWithOrWithoutHold,
        fc.boolean(),
        fc.option(fc.constant("a job")),
        (row, dryRun, unconfirmed) => {
          const refused = isHeld(row.metadata) || (unconfirmed !== null && !dryRun);
          const deciding = () => after(row, purge(REPORT, { dryRun }), unconfirmed);
          if (refused) expect(deciding).toThrow(expect.objectContaining({ code: "HELD" }));
          else expect(deciding().events).toMatchObject([{ dryRun }]);
        },
      ),
    );
  });

  it("return the counts of a live restore for a dry one, without a change or an event", () => {
    fc.assert(
      fc.property(fc.option(rows), tiers, (row, toTier) => {
        const job = restoreJob();
        const change = {
          kind: "restoreItem",
          jobId: job.id,
          key: key("acme/daily/report"),
          toTier,
          at: NOW,
          actor: "ann",
        } as const;
        const live = after(row, { ...change, dryRun: false });
        const dry = after(row, { ...change, dryRun: true });
        expect(dry.all("jobCounts")).toEqual(live.all("jobCounts"));
        expect(dry.get("artifact", change.key)).toEqual(row);
        expect([dry.events, dry.all("unpublished")]).toEqual([[], []]);
      }),
    );
  });

  it("change a row only together with an event", () => {
    fc.assert(
      fc.property(rows, instants, (row, asOf) => {
        const records = after(row, step(lifecycleJob({ asOf }), row));
        const changed = !isDeepStrictEqual(records.get("artifact", row), row);
        expect(records.events).toHaveLength(changed ? 1 : 0);
        expect(records.all("unpublished")).toHaveLength(changed ? 1 : 0);
      }),
    );
  });
});
