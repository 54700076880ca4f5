import { isDeepStrictEqual } from "node:util";
import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { isHeld } from "@tierkeep/schema/domain/holds";
import { dueStep, LIFECYCLE_STEPS } from "@tierkeep/schema/domain/policy";
import { isHotter, TIERS } from "@tierkeep/schema/domain/tiers";
import type { LifecycleJob } from "@tierkeep/schema/services/jobs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemoryRecords } from "../../../testing/catalog/memory-records.ts";
import {
  key,
  lifecycleJob,
  move,
  NOW,
  purge,
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
function after(
  row: ArtifactRow | null,
  change: RecordChange,
  gate: string | null = null,
  job: LifecycleJob | null = null,
): MemoryRecords {
  const records = new MemoryRecords();
  if (row !== null) records.apply([{ put: "artifact", key: row, value: row }]);
  if (job !== null) {
    runGroup(records, [startJob(job)], null);
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

  it("take a step of a run exactly where it is due, and name the hold that forbids a purge", () => {
    fc.assert(
      fc.property(
        artifactWithOrWithoutHold,
        instants,
        fc.constantFrom(...LIFECYCLE_STEPS),
        (row, asOf, asked) => {
          const job = lifecycleJob({ asOf });
          const records = after(row, step(job, row, { step: asked }), null, job);
          const due = dueStep(row, job.retentionPolicy, asOf) === asked;
          const held = asked === "PURGE" && row.tier === "COLD" && isHeld(row.metadata);
          const skipped = { outcome: "SKIPPED", errorCode: held ? "HELD" : null };
          expect(records.all("block")).toMatchObject([{ outcomes: [due ? 1 : skipped] }]);
          expect(records.events).toHaveLength(due ? 1 : 0);
          if (!due) expect(records.get("artifact", row)).toEqual(row);
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

  it("change a row only together with an event", () => {
    fc.assert(
      fc.property(rows, instants, (row, asOf) => {
        const job = lifecycleJob({ asOf });
        const records = after(row, step(job, row), null, job);
        const changed = !isDeepStrictEqual(records.get("artifact", row), row);
        expect(records.events).toHaveLength(changed ? 1 : 0);
        expect(records.all("unpublished")).toHaveLength(changed ? 1 : 0);
      }),
    );
  });
});
