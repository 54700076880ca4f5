import type { Change } from "../changes.ts";
import { write } from "./write.ts";

/** The kinds of changes whose rules are pure functions over records. */
export const CHANGES = { write } as const;

export type RecordChange = Extract<Change, { readonly kind: keyof typeof CHANGES }>;

export function isRecordChange(change: Change): change is RecordChange {
  return change.kind in CHANGES;
}
