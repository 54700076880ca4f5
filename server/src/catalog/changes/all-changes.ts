import type { ChangeType } from "../change-type.ts";
import { adoptBatch } from "./adopt-batch.ts";
import { createApiKey, revokeApiKey } from "./api-keys.ts";
import { changeSettings } from "./change-settings.ts";
import { damage } from "./damage.ts";
import { advanceJob, confirmReindex, finishJob, requestCancel, startJob } from "./jobs.ts";
import { emptyQuarantine, event, exported } from "./log-changes.ts";
import { move } from "./move.ts";
import { blockPurges, sealPlan, storePlan } from "./plans.ts";
import { purge } from "./purge.ts";
import { recover } from "./recover.ts";
import { relocated } from "./relocated.ts";
import { correctUsage, quarantine, report } from "./report.ts";
import { republish } from "./republish.ts";
import { runBatch } from "./run-batch.ts";
import { abandon, stageFound } from "./staging.ts";
import { write } from "./write.ts";

/** The kinds of changes whose rules are pure functions over records. */
const CHANGES = {
  abandon,
  adoptBatch,
  advanceJob,
  blockPurges,
  changeSettings,
  confirmReindex,
  correctUsage,
  createApiKey,
  damage,
  emptyQuarantine,
  event,
  exported,
  finishJob,
  move,
  purge,
  quarantine,
  recover,
  relocated,
  report,
  republish,
  requestCancel,
  revokeApiKey,
  runBatch,
  sealPlan,
  stageFound,
  startJob,
  storePlan,
  write,
} as const;

export type ChangeKind = keyof typeof CHANGES;

export type ResultOfKind<K extends ChangeKind> = ReturnType<(typeof CHANGES)[K]["decide"]>["result"];

export type RecordChange = { [K in ChangeKind]: Parameters<(typeof CHANGES)[K]["decide"]>[0] }[ChangeKind];

export function isRecordChange(change: { readonly kind: string }): change is RecordChange {
  return change.kind in CHANGES;
}

/** Returns true if the change needs space. */
export function grows(change: RecordChange): boolean {
  const { grows } = typeOf(change);
  return typeof grows === "boolean" ? grows : grows(change);
}

/** Returns the rules of a change. */
export function typeOf(change: RecordChange): ChangeType<RecordChange, unknown> {
  return CHANGES[change.kind] as ChangeType<RecordChange, unknown>;
}
