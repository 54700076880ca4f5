import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import { keyOf, keyText } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import type { Catalog } from "../catalog/catalog.ts";
import type { ArtifactRow } from "../catalog/rows.ts";
import type { Abandoned } from "../engine/abandoned.ts";
import type { Clock } from "../engine/clock.ts";
import { newObject, type RandomBytes } from "../engine/new-object.ts";
import { isUnreadable } from "../tiers/refusing.ts";
import { storeById } from "../tiers/store-by-id.ts";
import type { FoundAt, TierStore } from "../tiers/tier-store.ts";
import { pathOf } from "./adoption.ts";
import type { RepairJob } from "./repairer.ts";

/** Damaged artifacts whose objects are searched for one another's bytes. */
const PARTNERS = 10_000;

export interface ContentRecoveryParts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly stores: ReadonlyMap<string, TierStore>;
  /** Name of this process, recorded with what it stages. */
  readonly owner: string;
  readonly abandoned: Abandoned;
}

type QuarantinedBySize = ReadonlyMap<number, readonly { readonly name: string }[]>;

/** A location that may hold an artifact's bytes. */
type Source = FoundAt | DamagedObject;

type DamagedObject = Pick<ArtifactRow, "object" | "store">;

/**
 * Searches other locations for the bytes of damaged or missing artifacts. Moves old objects to quarantine and
 * deletes nothing.
 */
export class ContentRecovery {
  readonly #parts: ContentRecoveryParts;

  constructor(parts: ContentRecoveryParts) {
    this.#parts = parts;
  }

  /**
   * Restores the bytes of these damaged artifacts from another location that holds them: their files in the
   * view, the quarantine, or the objects of other damaged artifacts. The commit of each recovery logs it.
   * Returns false if `signal` aborted first.
   */
  async recover(job: RepairJob, rows: readonly ArtifactRow[], signal: AbortSignal): Promise<boolean> {
    const partners = await this.#partners();
    const quarantined = await this.#quarantined();
    const recovered: ArtifactRow[] = [];
    for (const row of rows) {
      if (signal.aborted) return false;
      const store = this.#parts.stores.get(row.store);
      if (store === undefined || row.inline) continue;
      for (const source of this.#sources(row, store, partners, quarantined)) {
        if (!(await this.#recoverFrom(job, row, store, source, signal))) continue;
        recovered.push(row);
        break;
      }
    }
    // Not earlier: each of them may be the source for another artifact.
    for (const { store, object } of recovered) await this.#parts.stores.get(store)?.quarantine(object);
    return true;
  }

  /** Returns the objects of damaged artifacts by size: two objects may have been swapped. */
  async #partners(): Promise<ReadonlyMap<number, readonly DamagedObject[]>> {
    const { catalog, stores } = this.#parts;
    const bySize = new Map<number, DamagedObject[]>();
    for (const { object, store, inline } of await catalog.damagedAfter(0, PARTNERS)) {
      const there = inline ? null : await stores.get(store)?.stat(object);
      if (!there) continue;
      const same = bySize.get(there.sizeBytes);
      if (same === undefined) bySize.set(there.sizeBytes, [{ object, store }]);
      else same.push({ object, store });
    }
    return bySize;
  }

  /** Returns the names of quarantined files, by store and size. */
  async #quarantined(): Promise<ReadonlyMap<string, QuarantinedBySize>> {
    const byStore = new Map<string, QuarantinedBySize>();
    for (const store of this.#parts.stores.values())
      byStore.set(
        store.id,
        Map.groupBy(
          (await store.quarantined()).filter(({ kind }) => kind === "file"),
          ({ sizeBytes }) => sizeBytes,
        ),
      );
    return byStore;
  }

  #sources(
    row: ArtifactRow,
    store: TierStore,
    partners: ReadonlyMap<number, readonly DamagedObject[]>,
    quarantined: ReadonlyMap<string, QuarantinedBySize>,
  ): readonly Source[] {
    const sameSize = quarantined.get(store.id)?.get(row.sizeBytes) ?? [];
    return [
      ...(store.view === null ? [] : TIERS.map((tier) => ({ key: keyOf(row), tier }))),
      ...sameSize.map(({ name }) => ({ quarantined: name })),
      ...(partners.get(row.sizeBytes) ?? []).filter(({ object }) => object !== row.object),
    ];
  }

  /**
   * Copies the bytes from `source` into a new object if they match the checksum. Returns false if they do
   * not, or are missing.
   */
  async #recoverFrom(
    job: RepairJob,
    row: ArtifactRow,
    store: TierStore,
    source: Source,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { abandoned, catalog, clock, random, owner } = this.#parts;
    const { sizeBytes, checksum, modifiedAt } = row;
    const wanted = { range: null, sizeBytes, checksum, signal };
    const object = newObject(random);
    let recovered = false;
    try {
      const body =
        "object" in source
          ? await storeById(this.#parts.stores, source.store).read(source.object, wanted)
          : await store.readFound(source, wanted);
      if (body === null) return false;
      try {
        await catalog.commit({ kind: "stage", object, store: store.id, owner, at: clock.now() });
      } catch (error) {
        await body[Symbol.asyncIterator]().return?.();
        throw error;
      }
      await store.write(object, body, { maxBytes: null, modifiedAt, signal });
      const as = { damaged: row.object, object, store: store.id, owner };
      const finding = recoveredFinding(row);
      recovered = await catalog.commit({
        kind: "recover",
        at: clock.now(),
        ...job,
        finding,
        key: keyOf(row),
        ...as,
      });
      return recovered;
    } catch (error) {
      if (isUnsuitable(error) || signal.aborted) return false;
      throw error;
    } finally {
      if (!recovered) await abandoned.add([object]);
    }
  }
}

function recoveredFinding(row: ArtifactRow): StoreFinding {
  return {
    kind: "HEALED",
    path: pathOf(row, row.tier),
    ...keyOf(row),
    tier: row.tier,
    message: `The bytes of ${keyText(row)} were found elsewhere and restored. The damaged bytes, if any, are moved to quarantine.`,
  };
}

/** Returns whether the error means that the source holds other bytes or cannot be read. */
function isUnsuitable(error: unknown): boolean {
  return error instanceof Refused && (error.code === "CHECKSUM_MISMATCH" || isUnreadable(error));
}
