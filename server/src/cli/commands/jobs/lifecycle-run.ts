import { keyText } from "@tierkeep/schema/domain/keys";
import { type LifecycleStep, STEP_RULES } from "@tierkeep/schema/domain/policy";
import { REFUSALS } from "@tierkeep/schema/domain/refusals";
import type { LifecycleItem, LifecycleJob, Tierkeep } from "@tierkeep/sdk";
import { inCommandWords } from "../../output/error-text.ts";
import type { Output } from "../../output/output.ts";
import {
  counted,
  formatAge,
  formatBytes,
  formatDays,
  formatDuration,
  formatInstant,
} from "../../output/quantity.ts";
import type { Cell, Column } from "../../output/table.ts";
import { waitForEnd } from "./wait.ts";

export interface LifecycleRunOptions {
  readonly dryRun: boolean;
  readonly steps?: readonly LifecycleStep[] | undefined;
  readonly tenant?: string | undefined;
  /** Lists every artifact that the run moved, purged or failed on. */
  readonly verbose?: boolean | undefined;
}

/** Short runs end within this time and need no further request. For longer ones, progress is shown. */
const WAIT_SECONDS = 1;

/** Runs the lifecycle and waits for its end. Returns the exit code of exitCodeOf. */
export async function lifecycleRun(
  tierkeep: Tierkeep,
  options: LifecycleRunOptions,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  const finished = await ended(tierkeep, options, output, signal);
  if (options.verbose) await showItems(tierkeep, finished.id, output);
  output.value(finished);
  output.text(summaryOf(finished, output));
  return exitCodeOf(finished);
}

/**
 * Runs the lifecycle live. If a dry run shows that something would be purged, it asks for confirmation first. Returns the
 * exit code of lifecycleRun, or 1 if not confirmed.
 */
export async function confirmedLifecycleRun(
  tierkeep: Tierkeep,
  options: LifecycleRunOptions,
  output: Output,
  signal: AbortSignal,
  confirm: (question: string) => Promise<boolean>,
): Promise<number> {
  if (options.steps === undefined || options.steps.includes("PURGE")) {
    const dry = await ended(tierkeep, { ...options, dryRun: true }, output, signal);
    if (dry.status !== "SUCCEEDED") {
      output.value(dry);
      output.text(summaryOf(dry, output));
      return exitCodeOf(dry);
    }
    if (dry.purged > 0) {
      const bytes = await purgedBytesOf(tierkeep, dry.id);
      const what = `${counted(dry.purged, "artifact")} (${formatBytes(bytes)})`;
      if (!(await confirm(`This will purge ${what} permanently. Continue?`))) {
        output.note("Nothing was changed.");
        return 1;
      }
    }
  }
  return lifecycleRun(tierkeep, options, output, signal);
}

async function ended(
  tierkeep: Tierkeep,
  { dryRun, tenant, steps }: LifecycleRunOptions,
  output: Output,
  signal: AbortSignal,
): Promise<LifecycleJob> {
  const { job, started } = await tierkeep.runLifecycle({
    dryRun,
    tenantId: tenant,
    steps,
    waitSeconds: WAIT_SECONDS,
  });
  if (!started) output.note("The same run was already in progress. This is its result.");
  return waitForEnd(job, dryRun ? "Dry run" : "Run", output, signal);
}

async function purgedBytesOf(tierkeep: Tierkeep, id: string): Promise<number> {
  let bytes = 0;
  for await (const { step, sizeBytes } of tierkeep.lifecycleJobItems({ id, first: 500 })) {
    if (step === "PURGE") bytes += sizeBytes;
  }
  return bytes;
}

/**
 * Returns the exit code for an ended job. 0: success, and no artifact failed. 1: the job or some artifacts failed. 4:
 * cancelled. 6: blocked, and may be run again later.
 */
export function exitCodeOf(job: Pick<LifecycleJob, "status" | "totalErrors">): number {
  switch (job.status) {
    case "SUCCEEDED":
      return job.totalErrors > 0 ? REFUSALS.INTERNAL.exit : 0;
    case "CANCELLED":
      return REFUSALS.CONFLICT.exit;
    case "BLOCKED":
      return REFUSALS.UNAVAILABLE.exit;
    default:
      return REFUSALS.INTERNAL.exit;
  }
}

const ITEM_COLUMNS: readonly Column[] = [
  { head: "outcome" },
  { head: "move", narrow: "stay" },
  { head: "artifact", narrow: "shorten" },
  { head: "age", align: "right", minWidth: 6 },
  { head: "size", align: "right" },
];

async function showItems(tierkeep: Tierkeep, id: string, output: Output): Promise<void> {
  const table = output.rows(ITEM_COLUMNS);
  let any = false;
  for await (const item of tierkeep.lifecycleJobItems({ id, first: 500 })) {
    any = true;
    output.value(item);
    table.row(cellsOf(item, output));
    if (item.error !== null)
      table.line(output.style.red(`    ${item.errorCode}: ${inCommandWords(item.error)}`));
  }
  if (any) table.flush();
}

function cellsOf(item: LifecycleItem, { style }: Output): readonly Cell[] {
  return [
    item.error === null ? item.outcome : { text: item.outcome, style: style.red },
    `${item.fromTier} → ${item.toTier ?? "purged"}`,
    keyText(item),
    formatAge(item.ageDays),
    formatBytes(item.sizeBytes),
  ];
}

function summaryOf(job: LifecycleJob, { style }: Output): string {
  const { retentionPolicy: policy, dryRun } = job;
  const where = job.tenantId === null ? "all tenants" : `tenant ${job.tenantId}`;
  const steps = job.steps.length < Object.keys(STEP_RULES).length ? `, only ${job.steps.join(" and ")}` : "";
  const [moved, purged] = dryRun
    ? (["would move to", "would be purged"] as const)
    : (["moved to", "purged"] as const);
  const row = (what: string, value: string | number) => `${what.padEnd(20)}${value}`;
  const errors = row("errors", job.totalErrors);
  return [
    style.bold(`${dryRun ? "Dry run" : "Run"} over ${where}${steps}: ${job.status}`),
    ...(job.error === null ? [] : [style.red(inCommandWords(job.error))]),
    style.dim(
      `as of ${formatInstant(job.asOf)}; default policy: hot ${formatDays(policy.hotDays)}, ` +
        `warm ${formatDays(policy.warmDays)}, cold ${formatDays(policy.coldDays)}`,
    ),
    row(`${moved} warm`, job.promotedToWarm),
    row(`${moved} cold`, job.promotedToCold),
    row(purged, job.purged),
    job.totalErrors > 0 ? style.red(errors) : errors,
    row("duration", job.durationSeconds === null ? "–" : formatDuration(job.durationSeconds)),
    ...(dryRun ? ["Nothing was changed."] : []),
  ].join("\n");
}
