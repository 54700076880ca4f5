import { ageDays } from "@tierkeep/schema/domain/ages";
import { keyOf } from "@tierkeep/schema/domain/keys";
import { type LifecycleStep, STEP_RULES } from "@tierkeep/schema/domain/policy";
import type { Refused } from "@tierkeep/schema/domain/refusals";
import type { LifecycleJob } from "@tierkeep/schema/services/jobs";
import type { DueArtifact, DuePosition } from "../catalog/catalog.ts";
import type { LifecycleItemFailedChange, LifecycleStepChange } from "../catalog/job-changes.ts";
import { commitAllOf } from "../engine/commit-all.ts";
import { type JobEnding, JobRun, type JobWork, reasonOf, stopsEverything, succeeded } from "./job-work.ts";
import { type PlannedStep, planSteps } from "./plan.ts";

/** Stored position of a run. */
interface Place {
  /** The current step; null before the first one. */
  readonly step: LifecycleStep | null;
  /** The last artifact that was processed in this step. */
  readonly after: DuePosition | null;
  /** How the job will end, because its purge step was refused. */
  readonly blocked: JobEnding | null;
}

const START: Place = { step: null, after: null, blocked: null };

/**
 * Moves or purges everything that is due, in batches, with at most one step per artifact. A dry run only
 * records what it would do.
 */
export class LifecycleRun extends JobRun<LifecycleJob> {
  override async *work(): JobWork {
    const { steps, retentionPolicy, asOf } = this.job;
    const plan = planSteps(steps, retentionPolicy, asOf);
    let place = { ...START, ...(this.row.position as Partial<Place> | null) };
    if (this.row.expected === null) await this.store(place, await this.#countDue(plan));
    if (place.blocked) await this.#reportBlockedOnce(place.blocked);

    const current = plan.findIndex(({ step }) => step === place.step);
    for (const planned of plan.slice(Math.max(current, 0))) {
      if (planned.step === "PURGE" && place.blocked) continue;
      if (planned.step !== place.step) {
        place = { ...place, step: planned.step, after: null };
        // A resumed run must not return to a colder step, where artifacts are due that it has moved itself.
        await this.store(place);
      }
      for (;;) {
        const due = await this.#due(planned, place.after);
        const last = due.at(-1);
        if (!last) break;
        const refusal = await this.#takeStep(planned.step, due);
        if (refusal) {
          const blocked: JobEnding = { status: "BLOCKED", ...reasonOf(refusal) };
          place = { ...place, blocked };
          await this.store(place);
          await this.#reportBlockedOnce(blocked);
          yield;
          break;
        }
        place = { ...place, after: last.position };
        await this.store(place);
        yield;
        if (due.length < this.parts.batchSize) break;
      }
    }
    return place.blocked ?? succeeded;
  }

  #due({ from, before }: PlannedStep, after: DuePosition | null): Promise<readonly DueArtifact[]> {
    const { engine, batchSize } = this.parts;
    return engine.catalog.due(from, this.job.tenantId, before, after, batchSize);
  }

  async #countDue(plan: readonly PlannedStep[]): Promise<number> {
    const { catalog } = this.parts.engine;
    const counts = await Promise.all(
      plan.map(({ from, before }) => catalog.countDue(from, this.job.tenantId, before)),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /**
   * Takes one step for each artifact. Returns why nothing may be purged now, or null. A dry run does not
   * check that.
   */
  async #takeStep(step: LifecycleStep, due: readonly DueArtifact[]): Promise<Refused | null> {
    const { engine, onProblem } = this.parts;
    const purges = step === "PURGE" && !this.job.dryRun;
    const refusal = purges ? await engine.purgeRefusal() : null;
    if (refusal) return refusal;

    const outcomes = await engine.takeSteps(due.map((found) => this.#stepChange(step, found)));
    const failed: LifecycleItemFailedChange[] = [];
    for (const [index, outcome] of outcomes.entries()) {
      const found = due[index];
      if (outcome.ok || !found) continue;
      // A reindex may have adopted an artifact after the check.
      if (stopsEverything(outcome.refused) || (outcome.refused as Partial<Refused>).code === "HELD") {
        const purgeRefusal = purges ? await engine.purgeRefusal() : null;
        if (purgeRefusal) return purgeRefusal;
        throw outcome.refused;
      }
      onProblem(`job ${this.job.id}: one artifact failed; the run continues`, outcome.refused);
      failed.push(this.#failedChange(step, found, outcome.refused));
    }
    if (failed.length === 0) return null;
    await commitAllOf(engine.catalog, failed);
    return null;
  }

  #stepChange(step: LifecycleStep, { artifact }: DueArtifact): LifecycleStepChange {
    const { version, tier, ageSince, sizeBytes } = artifact;
    return {
      kind: "lifecycleStep",
      at: this.parts.engine.clock.now(),
      actor: this.row.actor,
      jobId: this.job.id,
      key: keyOf(artifact),
      planned: { version, tier, ageSince, sizeBytes },
      step,
      asOf: this.job.asOf,
      policy: this.parts.policy(),
      dryRun: this.job.dryRun,
    };
  }

  #failedChange(step: LifecycleStep, { artifact }: DueArtifact, error: Error): LifecycleItemFailedChange {
    const { tier, ageSince, sizeBytes } = artifact;
    return {
      kind: "lifecycleItemFailed",
      at: this.parts.engine.clock.now(),
      actor: this.row.actor,
      jobId: this.job.id,
      item: {
        ...keyOf(artifact),
        step,
        fromTier: tier,
        toTier: STEP_RULES[step].to,
        ageDays: ageDays(ageSince, this.job.asOf),
        sizeBytes,
        outcome: "FAILED",
        ...reasonOf(error),
      },
      dryRun: this.job.dryRun,
    };
  }

  /**
   * Writes the event once. The position is stored before the event, so after a crash the event may be missing
   * but is never doubled.
   */
  async #reportBlockedOnce({ errorCode, error }: JobEnding): Promise<void> {
    const { catalog, clock } = this.parts.engine;
    const { id: jobId, tenantId, dryRun } = this.job;
    if ((await catalog.countEvents({ jobId, types: ["LIFECYCLE_STEP_FAILED"] })) > 0) return;
    await catalog.commit({
      kind: "event",
      event: {
        timestamp: clock.now(),
        type: "LIFECYCLE_STEP_FAILED",
        actor: this.row.actor,
        tenantId,
        workflowId: null,
        artifactId: null,
        fromTier: STEP_RULES.PURGE.from,
        toTier: null,
        ageDays: null,
        sizeBytes: null,
        checksum: null,
        dryRun,
        jobId,
        errorCode,
        error,
      },
    });
  }
}
