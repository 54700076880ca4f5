import { isHeldArtifact } from "@tierkeep/schema/domain/holds";
import { compareKeys, keyOf } from "@tierkeep/schema/domain/keys";
import type { LifecycleStep } from "@tierkeep/schema/domain/policy";
import type { LifecycleJob } from "@tierkeep/schema/services/jobs";
import type { DuePosition } from "../catalog/catalog.ts";
import { STEP_COUNTER } from "../catalog/changes/batch-items.ts";
import type { PlannedItem } from "../catalog/plan-blocks.ts";
import type { ArtifactRow } from "../catalog/rows.ts";
import { type PlannedStep, planSteps } from "./plan.ts";
import { PLAN_PAGE, PlannedRun, type PlanPart } from "./planned-run.ts";

/**
 * Due artifacts of a step that are read in the order of age and sorted in memory. For more, the catalog is scanned in
 * the order of keys.
 */
const SORTED_ITEMS = 20_000;

/** Moves or purges everything that is due, with at most one step per artifact. */
export class LifecycleRun extends PlannedRun<LifecycleJob> {
  protected override async *plan(): AsyncGenerator<PlanPart> {
    const { steps, retentionPolicy, asOf } = this.job;
    for (const planned of planSteps(steps, retentionPolicy, asOf)) {
      const few = await this.#few(planned);
      if (few === null) yield* this.#scanned(planned);
      else
        for (let at = 0; at < few.length; at += PLAN_PAGE)
          yield partOf(planned.step, few.slice(at, at + PLAN_PAGE));
    }
  }

  /** Returns the items in the order of their keys; null: there are more than SORTED_ITEMS. */
  async #few({ step, from, before }: PlannedStep): Promise<readonly PlannedItem[] | null> {
    const items: PlannedItem[] = [];
    let after: DuePosition | null = null;
    for (;;) {
      const due = await this.parts.engine.catalog.due(from, this.job.tenantId, before, after, PLAN_PAGE);
      for (const { artifact } of due) items.push(itemOf(step, artifact));
      if (due.length < PLAN_PAGE) return items.sort(compareKeys);
      if (items.length > SORTED_ITEMS) return null;
      after = due.at(-1)?.position ?? null;
    }
  }

  async *#scanned({ step, from, before }: PlannedStep): AsyncGenerator<PlanPart> {
    const { tenantId } = this.job;
    const selection = { tiers: [from], ageSinceBefore: before, ...(tenantId !== null && { tenantId }) };
    for await (const rows of this.inKeyOrder(selection))
      yield partOf(
        step,
        rows.map((row) => itemOf(step, row)),
      );
  }
}

function itemOf(step: LifecycleStep, row: ArtifactRow): PlannedItem {
  const { version, ageSince, sizeBytes } = row;
  const held = step === "PURGE" && isHeldArtifact(row);
  return { ...keyOf(row), planned: { version, ageSince, sizeBytes, held } };
}

function partOf(step: LifecycleStep, items: readonly PlannedItem[]): PlanPart {
  const due = items.filter(({ planned }) => planned?.held === false).length;
  return { step, items, counts: { [STEP_COUNTER[step]]: due } };
}
