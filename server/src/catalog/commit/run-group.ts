import { type RefusalRecord, Refused } from "@tierkeep/schema/domain/refusals";
import type { Found } from "../change-type.ts";
import { grows, type RecordChange, typeOf } from "../changes/all-changes.ts";
import type { Outcome } from "../changes.ts";
import type { IdempotencyKey } from "../idempotency.ts";
import { type Effect, type RecordKind, type Records, type Ref, refText } from "../records.ts";
import { decideRetry, isAnswerValid } from "./retry.ts";

/** Like Outcome; `failure`: an unexpected error, and nothing of the change was applied. */
export type ChangeOutcome = Outcome | { readonly ok: false; readonly failure: string };

type Value = Records[RecordKind]["value"];

/** Records as a driver loaded them. */
export interface Loaded {
  /** In the order of the refs; null: there is no such record. */
  readonly values: readonly (Value | null)[];
  /** The number of the log's last event, read after the values; 0: the log is empty. */
  readonly seq: number;
}

/** What a driver does for a group. Each load is followed by exactly one apply. */
export interface RecordStore {
  load(refs: readonly Ref[]): Loaded;
  apply(effects: readonly Effect[]): void;
}

/** A change, the refs that it reads, and each ref as text. */
interface Part {
  readonly change: RecordChange;
  readonly refs: readonly Ref[];
  readonly texts: readonly string[];
}

/**
 * Decides changes in order, on the records that they declare, and applies their effects. A change that is
 * refused has no effect, except that its refusal may be stored as the answer to its idempotency key.
 *
 * The changes that are decided on one load are independent: where one refers to a record that an earlier one
 * puts or deletes, that one and the rest are loaded again after the effects of the earlier ones are applied.
 *
 * @param growth the refusal of changes that need space; null: there is enough
 */
export function runGroup(
  store: RecordStore,
  changes: readonly RecordChange[],
  growth: RefusalRecord | null,
): readonly ChangeOutcome[] {
  const parts = changes.map(partOf);
  const outcomes: ChangeOutcome[] = [];
  while (outcomes.length < parts.length) {
    outcomes.push(...runIndependent(store, parts.slice(outcomes.length), growth));
  }
  return outcomes;
}

/** Runs the first part and those after it that are independent of earlier ones. Returns their outcomes. */
function runIndependent(
  store: RecordStore,
  parts: readonly Part[],
  growth: RefusalRecord | null,
): readonly ChangeOutcome[] {
  const { values, seq: last } = loadAll(store, parts);
  const written = new Set<string>();
  const effects: Effect[] = [];
  const outcomes: ChangeOutcome[] = [];
  let seq = last;
  for (const part of parts) {
    if (part.texts.some((text) => written.has(text))) break;
    const decided = decide(part.change, foundBy(part, values, seq), growth);
    for (const effect of decided.effects) {
      addWritten(written, effect);
      if ("append" in effect && effect.append === "event") seq += 1;
      effects.push(effect);
    }
    outcomes.push(decided.outcome);
  }
  store.apply(effects);
  return outcomes;
}

function partOf(change: RecordChange): Part {
  const declared = typeOf(change).refs(change);
  const once = idempotencyKey(change);
  const refs: readonly Ref[] = once === undefined ? declared : [...declared, ["answer", once]];
  return { change, refs, texts: refs.map(([kind, key]) => refText(kind, key)) };
}

function idempotencyKey(change: RecordChange): IdempotencyKey | undefined {
  return "once" in change ? change.once : undefined;
}

/** Loads each record once. Returns the values by the texts of their refs. */
function loadAll(store: RecordStore, parts: readonly Part[]) {
  const values = new Map<string, Value | null>();
  const refs: Ref[] = [];
  for (const part of parts) {
    part.texts.forEach((text, index) => {
      const ref = part.refs[index];
      if (ref === undefined || values.has(text)) return;
      values.set(text, null);
      refs.push(ref);
    });
  }
  const loaded = store.load(refs);
  let index = 0;
  for (const text of values.keys()) {
    values.set(text, loaded.values[index] ?? null);
    index += 1;
  }
  return { values, seq: loaded.seq };
}

function foundBy({ refs, texts }: Part, values: ReadonlyMap<string, Value | null>, seq: number): Found {
  return {
    seq,
    get<K extends RecordKind>(kind: K, key: Records[K]["key"]) {
      // Nearly always the key is the object that the change declared.
      const index = refs.findIndex((ref) => ref[0] === kind && ref[1] === key);
      const text = texts[index] ?? refText(kind, key);
      if (index === -1 && !texts.includes(text))
        throw new Error(`The change did not declare the record ${text}.`);
      return values.get(text) as Records[K]["value"] | null;
    },
  };
}

function decide(
  change: RecordChange,
  found: Found,
  growth: RefusalRecord | null,
): { readonly effects: readonly Effect[]; readonly outcome: ChangeOutcome } {
  const once = idempotencyKey(change);
  const repeated = once === undefined ? null : decideRetry(found.get("answer", once), once);
  if (repeated !== null) return { effects: [], outcome: repeated };
  const { effects, outcome } = decideAnew(change, found, growth);
  if (once === undefined || "failure" in outcome || !isAnswerValid(outcome)) return { effects, outcome };
  const { fingerprint, at } = once;
  const answer: Effect = { put: "answer", key: once, value: { fingerprint, at, outcome } };
  return { effects: [...effects, answer], outcome };
}

function decideAnew(change: RecordChange, found: Found, growth: RefusalRecord | null) {
  const type = typeOf(change);
  if (growth !== null && grows(change))
    return { effects: [], outcome: { ok: false, refusal: growth } } as const;
  try {
    const { effects, result } = type.decide(change, found);
    return { effects, outcome: { ok: true, result } as Outcome };
  } catch (error) {
    const outcome: ChangeOutcome =
      error instanceof Refused
        ? { ok: false, refusal: error.toRecord() }
        : { ok: false, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    return { effects: [], outcome };
  }
}

/** Adds the refs with which a later change would read the written record. Marks and usage do not conflict. */
function addWritten(written: Set<string>, effect: Effect): void {
  if ("add" in effect && effect.add === "jobCounts") written.add(refText("jobCounts", effect.key));
  if ("append" in effect || "add" in effect) return;
  const kind = "put" in effect ? effect.put : effect.delete;
  if (kind === "unpublished" || kind === "inline") return;
  written.add(refText(kind, effect.key));
  if (kind === "artifact") written.add(refText("facts", effect.key));
  if (kind === "facts") written.add(refText("artifact", effect.key));
}
