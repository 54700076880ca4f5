import type { Effect, RecordKind, Records, Ref } from "./records.ts";

/** The records that a change declared, as they were loaded. */
export interface Found {
  /** Null: there is no such record. @throws Error for a record that the change did not declare */
  get<K extends RecordKind>(kind: K, key: Records[K]["key"]): Records[K]["value"] | null;
  /**
   * The number of the log's last event before this change. The row that the change's k-th event describes gets
   * the version `seq` + k.
   */
  readonly seq: number;
}

/** The rules of one kind of change. */
export interface ChangeType<Input, Result> {
  /**
   * The records that `decide` reads. It may write others, such as the object of a replaced artifact: a later change
   * of the group that reads one of these is decided after they are written.
   */
  refs(input: Input): readonly Ref[];
  /** Pure: it reads only `input` and `found`. @throws Refused: then the change has no effect */
  decide(input: Input, found: Found): { readonly effects: readonly Effect[]; readonly result: Result };
  /** True: the change needs space, so it is refused while only the space reserve is left. */
  readonly grows: boolean | ((input: Input) => boolean);
}
