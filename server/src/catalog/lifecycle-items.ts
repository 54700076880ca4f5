import { ageDays } from "@tierkeep/schema/domain/ages";
import { type ArtifactKey, compareKeys, keyOf } from "@tierkeep/schema/domain/keys";
import { LIFECYCLE_STEPS, type LifecycleStep, STEP_RULES } from "@tierkeep/schema/domain/policy";
import type { LifecycleItem, LifecycleJob } from "@tierkeep/schema/services/jobs";
import type { CatalogReads, PageWindow } from "./catalog.ts";
import { holdMessage } from "./changes/purge.ts";
import { itemsOf, type PlannedItem } from "./plan-blocks.ts";
import type { ItemOutcome, PlanBlockRow } from "./rows.ts";

/** Returns a page of the items of a lifecycle job, in the order of keys. Other jobs have none. */
export async function listItems(
  catalog: CatalogReads,
  jobId: string,
  window: PageWindow<ArtifactKey>,
): Promise<readonly LifecycleItem[]> {
  const [row] = await catalog.jobs([jobId]);
  if (row?.job.kind !== "lifecycle") return [];
  const { job } = row;
  const ofSteps = await Promise.all(LIFECYCLE_STEPS.map((step) => itemsOfStep(catalog, job, step, window)));
  const items = ofSteps.flat().sort(compareKeys);
  return window.backward ? items.slice(-window.limit) : items.slice(0, window.limit);
}

/** Returns the number of items of a lifecycle job. */
export async function countItems(catalog: CatalogReads, jobId: string): Promise<number> {
  const [row] = await catalog.jobs([jobId]);
  if (row?.job.kind !== "lifecycle") return 0;
  const { planned, processed } = await catalog.countPlanItems(jobId);
  return row.job.dryRun ? planned : processed;
}

/** Returns the items of one step in a window. */
async function itemsOfStep(
  catalog: CatalogReads,
  job: LifecycleJob,
  step: LifecycleStep,
  { after, before, limit, backward }: PageWindow<ArtifactKey>,
): Promise<readonly LifecycleItem[]> {
  let items: readonly LifecycleItem[] = [];
  let [from, until] = [after, before];
  while (items.length < limit) {
    const row = await catalog.nextPlanBlock(job.id, step, { after: from, before: until, backward });
    if (row === null) break;
    const found = itemsOfBlock(job, step, row).filter(
      (item) =>
        (from === null || compareKeys(item, from) > 0) && (until === null || compareKeys(item, until) < 0),
    );
    items = backward ? [...found, ...items] : [...items, ...found];
    if (backward) until = row.block.first;
    else from = row.block.last;
  }
  return backward ? items.slice(-limit) : items.slice(0, limit);
}

/** Returns the items of a dry run, or those that a live run has processed. */
function itemsOfBlock(job: LifecycleJob, step: LifecycleStep, row: PlanBlockRow): readonly LifecycleItem[] {
  if (!job.dryRun && row.outcomes.length === 0) return [];
  const planned = itemsOf(row.block);
  const shown = job.dryRun ? planned : planned.slice(0, row.outcomes.length);
  return shown.map((item, index) => itemOf(job, step, item, row.outcomes[index] ?? null));
}

/** @param outcome null: the item is only planned */
function itemOf(
  { asOf }: LifecycleJob,
  step: LifecycleStep,
  item: PlannedItem,
  outcome: ItemOutcome | null,
): LifecycleItem {
  const { planned } = item;
  return {
    ...keyOf(item),
    step,
    fromTier: STEP_RULES[step].from,
    toTier: STEP_RULES[step].to,
    ageDays: ageDays(planned?.ageSince ?? asOf, asOf),
    sizeBytes: planned?.sizeBytes ?? 0,
    ...resultOf(item, outcome),
  };
}

function resultOf(
  item: PlannedItem,
  outcome: ItemOutcome | null,
): Pick<LifecycleItem, "outcome" | "errorCode" | "error"> {
  if (typeof outcome === "number") return { outcome: "DONE", errorCode: null, error: null };
  if (outcome !== null) return outcome;
  return item.planned?.held
    ? { outcome: "SKIPPED", errorCode: "HELD", error: holdMessage(item) }
    : { outcome: "PLANNED", errorCode: null, error: null };
}
