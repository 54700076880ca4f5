import { rmSync } from "node:fs";
import type { VerifyJob } from "@tierkeep/schema/services/jobs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { whole } from "../../testing/catalog/sample-changes.ts";
import type { SimulatedProcess } from "../../testing/crash-model/simulated-process.ts";
import { jobsOf } from "../../testing/stores/engine-services.ts";
import { TEST_ADMIN } from "../../testing/stores/engine-store.ts";
import {
  inProcess,
  type Outcome,
  outcomeOf,
  RECOVERABLE,
  RepairableStore,
} from "../../testing/stores/repairable-store.ts";
import type { Loss } from "../../testing/tiers/crash-loss.ts";

const LOSSES: readonly Loss[] = ["nothing", "everything", { seed: 1 }];

let store: RepairableStore;

beforeAll(async () => {
  store = await RepairableStore.make();
});
afterAll(() => store[Symbol.dispose]());

/** Returns the current state of the started repair. Null: no repair was started. */
async function startedIn({ engine: { catalog } }: SimulatedProcess): Promise<VerifyJob | null> {
  const [event] = await catalog.listEvents({ types: ["LIFECYCLE_JOB_STARTED"] }, "ASC", whole(1));
  const [row] = await catalog.jobs([event?.jobId ?? ""]);
  return (row?.job as VerifyJob | undefined) ?? null;
}

/** Resumes the repair in progress, or starts one. Resolves with its job; null: the process crashed first. */
async function repairIn(simulated: SimulatedProcess): Promise<VerifyJob | null> {
  const { promise: crashed, resolve } = Promise.withResolvers<null>();
  const jobs = jobsOf(simulated.engine, { onProblem: () => resolve(null) });
  const work = async () => {
    const started = await startedIn(simulated);
    if (started === null) return jobs.verify(TEST_ADMIN, { repair: true, waitSeconds: 60 });
    await jobs.resumeJobs();
    await expect
      .poll(() => simulated.engine.catalog.runningJobs(), { timeout: 60_000, interval: 5 })
      .toEqual([]);
    return startedIn(simulated);
  };
  try {
    return await Promise.race([work().catch(() => null), crashed]);
  } finally {
    await jobs.stop();
  }
}

/**
 * Repairs a copy of the damaged store in a process that crashes before step `lastStep` + 1 and loses `lose`,
 * then resumes in another process. `crashed` is false if the repair completed before that step.
 */
async function repairedDespite(lastStep: number, lose: Loss) {
  const root = store.copy();
  const first = await inProcess(root, { lastStep, lose }, async (simulated, crashPoint) => ({
    job: await repairIn(simulated),
    where: `after ${crashPoint.steps.length} steps, the last ${crashPoint.steps.at(-1)}`,
  }));
  const outcome = await inProcess(root, {}, async (simulated) => {
    const job = first?.job ?? (await repairIn(simulated));
    return job && outcomeOf(simulated, root, job);
  });
  rmSync(root, { recursive: true });
  if (!outcome) throw new Error(`${first?.where}: the resumed repair did not end`);
  return { crashed: !first?.job, where: first?.where ?? "at its start", outcome };
}

/**
 * Returns whether a finding or event is about the old object of an artifact that was recovered before the
 * crash. No row names that object any more, so the resumed repair reports it as unknown.
 */
const isOldObject = (text: string) =>
  /^(QUARANTINED|STRAY_QUARANTINED) .*\b[0-9a-f]{32}\b/.test(text) && !/e{32}|f{32}/.test(text);

/** Returns the part of the outcome that does not depend on the step of the crash. */
function withoutOldObjects({ contents: _, ...outcome }: Outcome) {
  const old = outcome.findings.filter(isOldObject);
  return {
    ...outcome,
    quarantinedCount: outcome.quarantinedCount - old.length,
    findings: outcome.findings.filter((text) => !isOldObject(text)),
    events: outcome.events.filter((text) => !isOldObject(text)),
  };
}

it("a repair that a crash interrupts before any of its steps is resumed, with the same result, findings and counts", async () => {
  const { outcome: expected } = await repairedDespite(Number.POSITIVE_INFINITY, "nothing");
  expect(expected).toMatchObject({ status: "SUCCEEDED", damaged: ["unrecoverable"], miscounts: [] });
  expect(expected).toMatchObject({ healedCount: RECOVERABLE.length, adoptedCount: 1, quarantinedCount: 3 });
  expect(expected.findings.filter(isOldObject)).toEqual([]);
  let crashed = true;
  for (let lastStep = 0; crashed; lastStep++) {
    const repaired = await repairedDespite(lastStep, LOSSES[lastStep % LOSSES.length] ?? "nothing");
    crashed = repaired.crashed;
    const { where, outcome } = repaired;
    expect({ where, ...withoutOldObjects(outcome) }).toEqual({ where, ...withoutOldObjects(expected) });
    const old = outcome.findings.filter(isOldObject);
    expect([where, new Set(old).size, outcome.events.filter(isOldObject).length]).toEqual([
      where,
      old.length,
      old.length,
    ]);
    expect([where, [...store.contents].filter((each) => !outcome.contents.has(each))]).toEqual([where, []]);
  }
}, 300_000);
