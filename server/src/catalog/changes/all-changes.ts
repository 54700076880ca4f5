import type { ChangeType } from "../change-type.ts";
import type { Change } from "../changes.ts";
import { adopt, present } from "./adopt.ts";
import { createApiKey, revokeApiKey } from "./api-keys.ts";
import { changeSettings } from "./change-settings.ts";
import { damage } from "./damage.ts";
import { advanceJob, confirmReindex, finishJob, requestCancel, startJob } from "./jobs.ts";
import { lifecycleItemFailed, lifecycleStep } from "./lifecycle-items.ts";
import { emptyQuarantine, event, exported } from "./log-changes.ts";
import { move } from "./move.ts";
import { purge } from "./purge.ts";
import { recover } from "./recover.ts";
import { quarantine, report } from "./report.ts";
import { republish } from "./republish.ts";
import { restoreItem } from "./restore-item.ts";
import { abandon, stageFound } from "./staging.ts";
import { write } from "./write.ts";

/** The kinds of changes whose rules are pure functions over records. */
const CHANGES = {
  abandon,
  adopt,
  advanceJob,
  changeSettings,
  confirmReindex,
  createApiKey,
  damage,
  emptyQuarantine,
  event,
  exported,
  finishJob,
  lifecycleItemFailed,
  lifecycleStep,
  move,
  present,
  purge,
  quarantine,
  recover,
  report,
  republish,
  requestCancel,
  restoreItem,
  revokeApiKey,
  stageFound,
  startJob,
  write,
} as const;

export type RecordChange = Extract<Change, { readonly kind: keyof typeof CHANGES }>;

export function isRecordChange(change: Change): change is RecordChange {
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
