import { type ArtifactKey, keyOf } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { LifecycleJob, RestoreJob } from "@tierkeep/schema/services/jobs";
import type { ArtifactSelection } from "../catalog/catalog.ts";
import type { JobCounts, RunBatchChange } from "../catalog/job-changes.ts";
import {
  BLOCK_ITEMS,
  itemsOf,
  type PlannedItem,
  type PlanStep,
  planBlockOf,
} from "../catalog/plan-blocks.ts";
import type { ArtifactRow, ItemFailure, JobEnding, PlanBlockRow } from "../catalog/rows.ts";
import { JobRun, type JobWork, reasonOf, stopsEverything, succeeded } from "./job-work.ts";

/** Artifacts per read while a plan is made. Their metadata is in memory together. */
export const PLAN_PAGE = 500;

/** Some items of a plan, at most PLAN_PAGE. */
export interface PlanPart {
  readonly step: PlanStep;
  /** At least one, in the order of their keys. */
  readonly items: readonly PlannedItem[];
  /** What a dry run adds to the counters besides `treated`. */
  readonly counts: JobCounts;
}

/**
 * A job with a plan: it first stores what it will do, in blocks, and seals that. Then it runs the blocks, batch by
 * batch. A dry run ends with its plan. Planning that a crash cut off starts again; a batch never runs twice.
 */
export abstract class PlannedRun<J extends LifecycleJob | RestoreJob> extends JobRun<J> {
  #ending = this.row.ending;

  /** Yields the plan in the order in which it runs, purges first. */
  protected abstract plan(): AsyncGenerator<PlanPart>;

  override async *work(): JobWork {
    const blocks = this.row.blocks ?? (yield* this.#makePlan());
    for (let n = 1; n <= blocks && !this.job.dryRun; n += 1) yield* this.#runBlock(n);
    return this.#ending ?? succeeded;
  }

  /** Yields the artifacts of a selection, in the order of their keys. */
  protected async *inKeyOrder(selection: ArtifactSelection): AsyncGenerator<readonly ArtifactRow[]> {
    let after: ArtifactKey | null = null;
    for (;;) {
      const rows: readonly ArtifactRow[] = await this.parts.engine.catalog.listArtifacts(
        selection,
        { field: "KEY", direction: "ASC" },
        { after: after && { key: after }, before: null, limit: PLAN_PAGE, backward: false },
        { owner: this.row.actor },
      );
      const last = rows.at(-1);
      if (last === undefined) return;
      yield rows;
      if (rows.length < PLAN_PAGE) return;
      after = keyOf(last);
    }
  }

  async *#makePlan(): AsyncGenerator<void, number, void> {
    let [blocks, items, counts]: [number, number, JobCounts] = [0, 0, {}];
    for await (const block of inBlocks(this.plan())) {
      const full = await this.#storeBlock(blocks + 1, block);
      if (full !== null) {
        // The blocks so far may be purges, which free space.
        this.#ending = { status: "FAILED", ...reasonOf(full) };
        break;
      }
      blocks += 1;
      items += block.items.length;
      counts = sumOf(counts, block.counts);
      yield;
    }
    await this.parts.engine.catalog.commit({
      kind: "sealPlan",
      jobId: this.job.id,
      blocks,
      items,
      counts: this.job.dryRun ? { ...counts, treated: items } : {},
      ending: this.#ending,
      durationSeconds: this.workedSeconds,
    });
    return blocks;
  }

  /** Returns the refusal where the disk is full. */
  async #storeBlock(n: number, { step, items }: PlanPart): Promise<Refused | null> {
    const block = planBlockOf(step, items);
    try {
      await this.parts.engine.catalog.commit({ kind: "storePlan", jobId: this.job.id, n, block });
      return null;
    } catch (error) {
      if (error instanceof Refused && error.code === "STORAGE_FULL") return error;
      throw error;
    }
  }

  async *#runBlock(n: number): AsyncGenerator<void, void, void> {
    const row = await this.parts.engine.catalog.planBlock(this.job.id, n);
    if (row === null) throw new Error(`The plan of job ${this.job.id} has no block ${n}.`);
    const { step } = row.block;
    const items = itemsOf(row.block);
    for (let from = row.outcomes.length; from < items.length; from += this.parts.batchSize) {
      if (step === "PURGE" && this.#ending?.status === "BLOCKED") return;
      await this.#runBatch(row, from, items.slice(from, from + this.parts.batchSize));
      yield;
    }
  }

  async #runBatch(row: PlanBlockRow, from: number, items: readonly PlannedItem[]): Promise<void> {
    try {
      await this.#commit(row, from, items);
    } catch (error) {
      if (await this.#purgesAreBlocked(row)) return;
      if (stopsEverything(error)) throw error;
      for (const [index, item] of items.entries()) await this.#runItem(row, from + index, item);
    }
  }

  /** Runs one item of a batch that failed. The item that made it fail becomes FAILED. */
  async #runItem(row: PlanBlockRow, from: number, item: PlannedItem): Promise<void> {
    if (this.#ending?.status === "BLOCKED" && row.block.step === "PURGE") return;
    try {
      await this.#commit(row, from, [item]);
    } catch (error) {
      if (await this.#purgesAreBlocked(row)) return;
      if (stopsEverything(error)) throw error;
      this.parts.onProblem(`job ${this.job.id}: one artifact failed; the job continues`, error);
      await this.#commit(row, from, [item], reasonOf(error));
    }
  }

  async #commit(
    { n, block }: PlanBlockRow,
    from: number,
    items: readonly PlannedItem[],
    failure?: ItemFailure,
  ): Promise<void> {
    const batch: RunBatchChange = {
      kind: "runBatch",
      at: this.parts.engine.clock.now(),
      actor: this.row.actor,
      jobId: this.job.id,
      n,
      step: block.step,
      from,
      items,
      policy: this.parts.policy(),
      storeIds: this.parts.engine.storeIds,
      failed: failure === undefined ? {} : { 0: failure },
      durationSeconds: this.workedSeconds,
    };
    const outcomes = await this.parts.engine.runBatch(batch);
    if (outcomes === null) throw new Error(`Block ${n} of job ${this.job.id} is not at position ${from}.`);
  }

  /** Where nothing may be purged now, stores that the job takes no more purge steps. */
  async #purgesAreBlocked({ block }: PlanBlockRow): Promise<boolean> {
    const { catalog, clock, purgeRefusal } = this.parts.engine;
    const refusal = block.step === "PURGE" ? await purgeRefusal() : null;
    if (refusal === null) return false;
    const reason = reasonOf(refusal);
    const stamp = { at: clock.now(), actor: this.row.actor };
    await catalog.commit({ kind: "blockPurges", ...stamp, jobId: this.job.id, ...reason });
    this.#ending = { status: "BLOCKED", ...reason } satisfies JobEnding;
    return true;
  }
}

/** Yields parts of the same step together, as many as fit into a block. */
async function* inBlocks(parts: AsyncIterable<PlanPart>): AsyncGenerator<PlanPart> {
  let block: PlanPart | null = null;
  for await (const part of parts) {
    if (block === null) block = part;
    else if (block.step === part.step && block.items.length + part.items.length <= BLOCK_ITEMS) {
      const { step, items, counts }: PlanPart = block;
      block = { step, items: [...items, ...part.items], counts: sumOf(counts, part.counts) };
    } else {
      yield block;
      block = part;
    }
  }
  if (block !== null) yield block;
}

function sumOf(a: JobCounts, b: JobCounts): JobCounts {
  const sum: Record<string, number> = { ...a };
  for (const [name, by] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + by;
  return sum;
}
