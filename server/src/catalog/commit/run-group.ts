import { type RefusalRecord, Refused } from "@tierkeep/schema/domain/refusals";
import type { Found } from "../change-type.ts";
import { grows, type RecordChange, typeOf } from "../changes/all-changes.ts";
import type { IdempotencyKey } from "../idempotency.ts";
import {
  type Effect,
  type Outcome,
  type RecordKind,
  type Records,
  type Ref,
  recordOf,
  refText,
} from "../records.ts";
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

/** A record that changes of a group declare, and its value once it is loaded. */
interface Entry {
  ref: Ref;
  value: Value | null;
}

/** A change, and the records that it declares: their refs as text, and their entries. */
interface Part {
  readonly change: RecordChange;
  readonly refs: readonly Ref[];
  readonly texts: readonly string[];
  entries: readonly Entry[];
}

/**
 * Decides changes in order, on the records that they declare, and applies their effects. A change that is
 * refused has no effect, except that its refusal may be stored as the answer to its idempotency key.
 *
 * The changes that are decided on one load are independent: where one refers to a record that an earlier one
 * writes, that one and the rest are loaded again after the effects of the earlier ones are applied.
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
  const { kinds, shared, seq: last } = loadAll(store, parts);
  const written = new Set<string>();
  const effects: Effect[] = [];
  const outcomes: ChangeOutcome[] = [];
  let seq = last;
  for (const part of parts) {
    if (written.size > 0 && part.texts.some((text) => written.has(text))) break;
    const decided = answerOrDecide(part.change, new FoundByPart(part, seq), growth);
    for (const effect of decided.effects) {
      const record = writtenRecord(effect);
      if (record !== null && kinds.has(record.kind) && (shared.has(record.kind) || !declares(part, record)))
        written.add(refText(record.kind, record.key));
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
  return { change, refs, texts: refs.map(([kind, key]) => refText(kind, key)), entries: [] };
}

function idempotencyKey(change: RecordChange): IdempotencyKey | undefined {
  return "once" in change ? change.once : undefined;
}

/**
 * Loads each record once. Returns the kinds of records that changes declare, and those of which two changes
 * declare the same record.
 */
function loadAll(store: RecordStore, parts: readonly Part[]) {
  const entries = new Map<string, Entry>();
  const kinds = new Set<RecordKind>();
  const shared = new Set<RecordKind>();
  for (const part of parts) {
    part.entries = part.refs.map((ref, index) => {
      const text = part.texts[index] ?? "";
      const known = entries.get(text);
      if (known === undefined) {
        kinds.add(recordOf(ref[0]));
        const entry = { ref, value: null };
        entries.set(text, entry);
        return entry;
      }
      shared.add(recordOf(ref[0]));
      // It has all that `facts` has.
      if (ref[0] === "artifact") known.ref = ref;
      return known;
    });
  }
  const loaded = [...entries.values()];
  const { values, seq } = store.load(loaded.map(({ ref }) => ref));
  for (const [index, entry] of loaded.entries()) entry.value = values[index] ?? null;
  return { kinds, shared, seq };
}

/** Up to this number, comparing all refs of a change is faster than a map. */
const FEW_REFS = 12;

class FoundByPart implements Found {
  readonly seq: number;
  readonly #part: Part;
  /** Indexes of the refs by kind and text. */
  #byText: ReadonlyMap<string, number> | null = null;

  constructor(part: Part, seq: number) {
    this.#part = part;
    this.seq = seq;
  }

  get<K extends RecordKind>(kind: K, key: Records[K]["key"]): Records[K]["value"] | null {
    const { refs, texts, entries } = this.#part;
    // Nearly always the key is the object that the change declared.
    let index = refs.length > FEW_REFS ? -1 : refs.findIndex((ref) => ref[1] === key && ref[0] === kind);
    if (index === -1) {
      const text = refText(kind, key);
      this.#byText ??= new Map(texts.map((text, at) => [`${refs[at]?.[0]} ${text}`, at]));
      index = this.#byText.get(`${kind} ${text}`) ?? -1;
      if (index === -1) throw new Error(`The change did not declare the record ${text} (${kind}).`);
    }
    return entries[index]?.value as Records[K]["value"] | null;
  }
}

/** Returns the stored answer to a retry, or decides the change and stores its answer. */
function answerOrDecide(
  change: RecordChange,
  found: Found,
  growth: RefusalRecord | null,
): { readonly effects: readonly Effect[]; readonly outcome: ChangeOutcome } {
  const once = idempotencyKey(change);
  const repeated = once === undefined ? null : decideRetry(found.get("answer", once), once);
  if (repeated !== null) return { effects: [], outcome: repeated };
  const { effects, outcome } = decideChange(change, found, growth);
  if (once === undefined || "failure" in outcome || !isAnswerValid(outcome)) return { effects, outcome };
  const { fingerprint, at } = once;
  const answer: Effect = { put: "answer", key: once, value: { fingerprint, at, outcome } };
  return { effects: [...effects, answer], outcome };
}

function decideChange(change: RecordChange, found: Found, growth: RefusalRecord | null) {
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

interface WrittenRecord {
  readonly kind: RecordKind;
  readonly key: Records[RecordKind]["key"];
}

/** Returns the record that an effect writes. Null: marks, usage and events do not conflict. */
function writtenRecord(effect: Effect): WrittenRecord | null {
  if ("append" in effect) return null;
  if ("add" in effect) return effect.add === "jobCounts" ? { kind: effect.add, key: effect.key } : null;
  const kind = "put" in effect ? effect.put : effect.delete;
  if (kind === "unpublished" || kind === "inline") return null;
  return { kind: recordOf(kind), key: effect.key };
}

/** Returns whether the change declares the record by this key object. */
function declares({ refs }: Part, { kind, key }: WrittenRecord): boolean {
  return refs.some((ref) => ref[1] === key && recordOf(ref[0]) === kind);
}
