import type { ChangeKind, RecordChange, ResultOfKind } from "./changes/all-changes.ts";
import type { StatementChange } from "./upkeep-changes.ts";

export type Change = RecordChange | StatementChange;

/** A change over records has a result of its own, a statement the number of rows that it changed. */
export type ResultOf<C extends Change> = C extends { readonly kind: infer K extends ChangeKind }
  ? ResultOfKind<K>
  : number;
