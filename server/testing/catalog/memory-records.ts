import type { LifecycleEvent } from "@tierkeep/schema/domain/events";
import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Loaded, RecordStore } from "../../src/catalog/commit/run-group.ts";
import {
  type ArtifactFacts,
  type Effect,
  type RecordKind,
  type Records,
  type Ref,
  refText,
  type ScopeKey,
} from "../../src/catalog/records.ts";
import type { ArtifactRow } from "../../src/catalog/rows.ts";

type Value = Records[RecordKind]["value"];

/**
 * The plainest driver of records: maps in memory. It is the model that every other driver must agree with.
 * Values that it loads are frozen, so a decide function that changes its input fails.
 */
export class MemoryRecords implements RecordStore {
  readonly #records = new Map<string, Value>();
  readonly #usage = new Map<string, { artifactCount: number; totalBytes: number }>();
  readonly events: LifecycleEvent[] = [];
  readonly findings: (StoreFinding & { readonly jobId: string })[] = [];

  load(refs: readonly Ref[]): Loaded {
    return { values: refs.map(([kind, key]) => this.get(kind, key)), seq: this.events.length };
  }

  apply(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if ("append" in effect) this.#append(effect);
      else if ("add" in effect) this.#add(effect);
      else if ("delete" in effect) this.#records.delete(refText(effect.delete, effect.key));
      else this.#put(effect);
    }
  }

  get<K extends RecordKind>(kind: K, key: Records[K]["key"]): Records[K]["value"] | null {
    const value = this.#records.get(refText(kind, key)) ?? null;
    if (kind !== "facts" || value === null) return value as Records[K]["value"] | null;
    const { metadata, ...facts } = value as ArtifactRow;
    return Object.freeze(facts) as Records[K]["value"];
  }

  /** All records of a kind. */
  all<K extends Exclude<RecordKind, "facts">>(kind: K): readonly Records[K]["value"][] {
    return [...this.#records]
      .filter(([name]) => name.startsWith(`${kind}:`))
      .map(([, value]) => value as Records[K]["value"]);
  }

  /** Everything that is stored. */
  contents() {
    const { events, findings } = this;
    return { events, findings, usage: this.#usage, records: this.#records };
  }

  usage({ tenantId, workflowId }: ScopeKey, tier: Tier) {
    return (
      this.#usage.get(JSON.stringify([tenantId, workflowId, tier])) ?? { artifactCount: 0, totalBytes: 0 }
    );
  }

  #put(effect: Extract<Effect, { readonly put: unknown }>): void {
    const name = refText(effect.put, effect.key);
    this.#records.set(
      name,
      frozen(effect.put === "facts" ? this.#withMetadata(name, effect.value) : effect.value),
    );
  }

  #withMetadata(name: string, facts: ArtifactFacts): ArtifactRow {
    return { ...facts, metadata: (this.#records.get(name) as ArtifactRow).metadata };
  }

  #append(effect: Extract<Effect, { readonly append: unknown }>): void {
    if (effect.append === "finding") this.findings.push({ ...effect.value, jobId: effect.key });
    else this.events.push({ ...effect.value, seq: this.events.length + 1 });
  }

  #add(effect: Extract<Effect, { readonly add: unknown }>): void {
    if (effect.add === "correction") throw new Error("The counters of the model are never wrong.");
    if (effect.add === "jobCounts") {
      const counts: Record<string, number> = { ...this.get("jobCounts", effect.key) };
      for (const [name, by] of Object.entries(effect.by)) counts[name] = (counts[name] ?? 0) + by;
      this.#records.set(refText("jobCounts", effect.key), Object.freeze(counts));
      return;
    }
    const { key, tier, count, sizeBytes } = effect;
    for (const owner of [key, { ...key, workflowId: "" }, { tenantId: "", workflowId: "" }]) {
      const { artifactCount, totalBytes } = this.usage(owner, tier);
      this.#usage.set(JSON.stringify([owner.tenantId, owner.workflowId, tier]), {
        artifactCount: artifactCount + count,
        totalBytes: totalBytes + count * sizeBytes,
      });
    }
  }
}

/** Returns a frozen copy. */
function frozen<T>(value: T): T {
  const copy = structuredClone(value);
  freeze(copy);
  return copy;
}

function freeze(value: unknown): void {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return;
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part);
}
