import type { ChangeType } from "../change-type.ts";
import type { Change } from "../changes.ts";
import { createApiKey, revokeApiKey } from "./api-keys.ts";
import { changeSettings } from "./change-settings.ts";
import { damage } from "./damage.ts";
import { emptyQuarantine, event, exported } from "./log-changes.ts";
import { move } from "./move.ts";
import { purge } from "./purge.ts";
import { recover } from "./recover.ts";
import { quarantine, report } from "./report.ts";
import { republish } from "./republish.ts";
import { abandon, stageFound } from "./staging.ts";
import { write } from "./write.ts";

/** The kinds of changes whose rules are pure functions over records. */
const CHANGES = {
  abandon,
  changeSettings,
  createApiKey,
  damage,
  emptyQuarantine,
  event,
  exported,
  move,
  purge,
  quarantine,
  recover,
  report,
  republish,
  revokeApiKey,
  stageFound,
  write,
} as const;

export type RecordChange = Extract<Change, { readonly kind: keyof typeof CHANGES }>;

export function isRecordChange(change: Change): change is RecordChange {
  return change.kind in CHANGES;
}

/** Returns the rules of a change. */
export function typeOf(change: RecordChange): ChangeType<RecordChange, unknown> {
  return CHANGES[change.kind] as ChangeType<RecordChange, unknown>;
}
