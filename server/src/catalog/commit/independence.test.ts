import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { LIFECYCLE_STEPS } from "@tierkeep/schema/domain/policy";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import fc from "fast-check";
import { expect, it } from "vitest";
import { MemoryRecords } from "../../../testing/catalog/memory-records.ts";
import {
  batch,
  finish,
  IN_FILES,
  key,
  lifecycleJob,
  move,
  NOW,
  purge,
  restoredItems,
  restoreJob,
  startJob,
  write,
} from "../../../testing/catalog/sample-changes.ts";
import type { RecordChange } from "../changes/all-changes.ts";
import { planBlockOf } from "../plan-blocks.ts";
import { runGroup } from "./run-group.ts";

// Few names, so that most changes of a group concern each other.
const paths = fc.constantFrom("a/x/1", "a/x/2", "b/y/1");
const objects = fc.constantFrom("0", "1", "2").map((digit) => digit.repeat(32));
const jobIds = fc.constantFrom("job 1", "job 2");
const owners = fc.constantFrom("this process", "another process");
const tiers = fc.constantFrom(...TIERS);
const stamp = { at: NOW, actor: "ann" };
const once = fc.option(
  fc.record({
    actor: fc.constant("ann"),
    key: fc.constantFrom("k", "l"),
    fingerprint: fc.constantFrom("f", "g"),
    at: fc.constant(NOW),
  }),
  { nil: undefined },
);
const finding = (path: string) => ({
  ...key(path),
  kind: "QUARANTINED" as const,
  path,
  tier: null,
  message: "Look.",
});

const blocks = fc.constantFrom(1, 2);
const planBlock = planBlockOf("PURGE", restoredItems("a/x/1"));
const files = fc.uniqueArray(fc.tuple(paths, objects), { maxLength: 2, selector: ([of]) => of }).map((some) =>
  some.map(([of, object]) => {
    const { key: at, tier, sizeBytes, checksum, contentType, metadata } = write(of);
    const facts = { tier, sizeBytes, checksum, contentType, metadata, object, store: "files" };
    const instants = { createdAt: NOW, modifiedAt: NOW, ageSince: NOW };
    return { key: at, artifact: { ...facts, ...instants }, findings: [finding(of)] };
  }),
);

const stores = fc.constantFrom(IN_FILES, { ...IN_FILES, COLD: "other files" });

const changes: fc.Arbitrary<RecordChange> = fc.oneof(
  fc
    .record({ to: paths, object: objects, tier: tiers, once, ifAbsent: fc.boolean(), staged: fc.boolean() })
    .map(({ to, staged, ...given }) => write(to, staged ? { ...given, bytes: null } : given) as RecordChange),
  fc
    .tuple(paths, tiers, once, stores)
    .map(([of, to, retry, storeIds]) => move(of, to, { once: retry, storeIds })),
  fc.record({ of: paths, from: objects, object: objects, owner: owners, storeIds: stores }).map(
    ({ of, from, object, owner, storeIds }) =>
      ({
        kind: "relocated",
        key: key(of),
        copy: { from, object, store: "files" },
        storeIds,
        owner,
        at: NOW,
      }) as const,
  ),
  fc.tuple(paths, once).map(([of, retry]) => purge(of, { once: retry })),
  fc
    .tuple(objects, owners)
    .map(([object, owner]) => ({ kind: "stageFound", object, store: "files", owner, at: NOW }) as const),
  objects.map((object) => ({ kind: "abandon", object, at: NOW }) as const),
  fc
    .tuple(paths, objects)
    .map(([of, object]) => ({ kind: "damage", key: key(of), object, error: "x", ...stamp }) as const),
  fc.record({ damaged: objects, object: objects, owner: owners, of: paths }).map(
    ({ of, ...given }) =>
      ({
        kind: "recover",
        key: key(of),
        store: "files",
        jobId: "job 1",
        finding: finding(of),
        ...given,
        ...stamp,
      }) as const,
  ),
  paths.map((of) => ({ kind: "republish", key: key(of) }) as const),
  fc
    .array(paths, { maxLength: 3 })
    .map((found) => ({ kind: "report", jobId: null, findings: found.map(finding), ...stamp }) as const),
  fc
    .tuple(jobIds, fc.array(paths, { maxLength: 3 }))
    .map(
      ([jobId, found]) => ({ kind: "quarantine", jobId, findings: found.map(finding), ...stamp }) as const,
    ),
  fc
    .tuple(jobIds, fc.boolean(), fc.constantFrom("in", "put"))
    .map(([id, dryRun, input]) => startJob(lifecycleJob({ id, dryRun }), { input })),
  jobIds.map((jobId) => finish(jobId)),
  jobIds.map((jobId) => ({ kind: "requestCancel", jobId }) as const),
  jobIds.map((jobId) => ({ kind: "confirmReindex", jobId, ...stamp }) as const),
  jobIds.map((jobId) => ({ kind: "advanceJob", jobId, position: { at: 1 }, durationSeconds: 1 }) as const),
  fc.tuple(jobIds, blocks).map(([jobId, n]) => ({ kind: "storePlan", jobId, n, block: planBlock }) as const),
  fc.tuple(jobIds, blocks).map(
    ([jobId, blocks]) =>
      ({
        kind: "sealPlan",
        jobId,
        blocks,
        items: 1,
        counts: {},
        ending: null,
        durationSeconds: 1,
      }) as const,
  ),
  jobIds.map((jobId) => ({ kind: "blockPurges", jobId, errorCode: "HELD", error: "x", ...stamp }) as const),
  fc
    .record({
      id: jobIds,
      n: blocks,
      from: fc.nat({ max: 2 }),
      some: fc.uniqueArray(paths, { maxLength: 3 }),
      version: fc.nat({ max: 9 }),
      step: fc.constantFrom(...LIFECYCLE_STEPS, "RESTORE" as const),
    })
    .map(({ id, n, from, some, version, step }) =>
      batch(
        step === "RESTORE" ? restoreJob({ id: "a restore" }) : lifecycleJob({ id }),
        step,
        some.map((of) => ({
          ...key(of),
          planned: { version, ageSince: NOW, sizeBytes: 1, held: false },
        })),
        { n, from },
      ),
    ),
  fc
    .record({ jobId: jobIds, owner: owners, dryRun: fc.boolean(), files, known: files, storeIds: stores })
    .map(
      ({ files, known, ...given }) =>
        ({
          kind: "adoptBatch",
          files,
          present: known.map(({ key, findings }) => ({ key, findings })),
          advance: { position: { at: 2 }, durationSeconds: 1 },
          ...given,
          ...stamp,
        }) as const,
    ),
);

it("a group of changes has the outcomes and effects of the same changes one by one", () => {
  fc.assert(
    fc.property(fc.array(changes, { maxLength: 24 }), (group) => {
      const together = new MemoryRecords();
      const apart = new MemoryRecords();
      for (const records of [together, apart]) {
        runGroup(
          records,
          [
            startJob(lifecycleJob({ id: "job 1", asOf: NOW + 100 * DAY_MS })),
            startJob(restoreJob({ id: "a restore" })),
            write("a/x/1", { object: "0".repeat(32) }),
          ],
          null,
        );
      }
      const outcomes = runGroup(together, group, null);
      expect(outcomes).toEqual(group.flatMap((change) => runGroup(apart, [change], null)));
      expect(together.contents()).toEqual(apart.contents());
    }),
    { numRuns: 400 },
  );
});
