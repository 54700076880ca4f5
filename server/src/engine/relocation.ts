import { type ArtifactKey, keyText } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { RelocatedChange } from "../catalog/artifact-changes.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { ArtifactRow, MisplacedKey, ObjectId, StoreIds } from "../catalog/rows.ts";
import type { TierStore } from "../tiers/tier-store.ts";
import type { Abandoned } from "./abandoned.ts";
import type { Clock } from "./clock.ts";
import { commitAllOf, requireWritten } from "./commit-all.ts";
import { newObject, type RandomBytes } from "./new-object.ts";
import type { Reader } from "./read.ts";

/** Copies at a time, so that requests find free I/O threads. */
const COPIES = 16;

/** Larger content is copied by one copy at a time, because it occupies the disks. */
const LARGE_BYTES = 1024 * 1024;

/** How long a key is left out after its copy failed. */
const RETRY_MS = 10_000;

export interface RelocationParts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly reader: Reader;
  /** All open stores. */
  readonly stores: ReadonlyMap<string, TierStore>;
  /** The store of each tier. */
  readonly storeIds: StoreIds;
  /** Owner of the objects that this process stages. */
  readonly owner: string;
  readonly abandoned: Abandoned;
}

interface Copy {
  readonly key: ArtifactKey;
  readonly sizeBytes: number;
  readonly from: ObjectId;
  readonly object: ObjectId;
}

/**
 * Brings misplaced artifacts to one store: copies their content to a new object there, by a verified read and a hashed
 * write, then commits `relocated`. Reads find the old object until that commit, and the new one after it.
 *
 * Copies run beside the other work of upkeep. `batch`, which upkeep calls, commits those that have ended and starts
 * others; it never runs at the same time as a publication, which would clear the mark of an older state of the row.
 */
export class Relocation {
  readonly #parts: RelocationParts;
  readonly #store: TierStore;
  readonly #onEnd: () => void;
  readonly #copying = new Map<string, { readonly sizeBytes: number; readonly ended: Promise<void> }>();
  readonly #failedAt = new Map<string, number>();
  readonly #closing = new AbortController();
  #ended: Copy[] = [];
  /** Why a copy failed since the last batch; null: none did. */
  #problem: unknown = null;

  /** @param onEnd called when `batch` should be called again */
  constructor(parts: RelocationParts, store: TierStore, onEnd: () => void) {
    this.#parts = parts;
    this.#store = store;
    this.#onEnd = onEnd;
  }

  /** True while keys are left out because their copies failed. */
  get isRetrying(): boolean {
    return this.#failedAt.size > 0;
  }

  /** Returns the number of keys that it has finished. @throws the error of a copy */
  async batch(): Promise<number> {
    const relocated = await this.#commitEnded();
    const problem = this.#problem;
    this.#problem = null;
    if (problem !== null) throw problem;
    if (this.#closing.signal.aborted || this.#copying.size >= COPIES) return relocated;
    const found = await this.#pending();
    const { storeIds, catalog } = this.#parts;
    const [placed, misplaced] = [[], []] as [MisplacedKey[], ArtifactRow[]];
    for (const one of found) {
      if (one.row === null || one.row.store === storeIds[one.row.tier]) placed.push(one);
      else misplaced.push(one.row);
    }
    requireWritten(await catalog.commitAll(placed.map(({ key }) => this.#change(key, null))));
    await this.#start(this.#affordable(misplaced));
    return relocated + placed.length;
  }

  /** Resolves when no copy runs. */
  async settled(): Promise<void> {
    await Promise.all([...this.#copying.values()].map(({ ended }) => ended));
  }

  /** True while copies run or have ended without a commit. */
  get isBusy(): boolean {
    return this.#copying.size > 0 || this.#ended.length > 0;
  }

  /** Tries keys again whose copies failed. */
  retry(): void {
    this.#failedAt.clear();
  }

  /** Cuts the copies off. Their objects are abandoned. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.settled();
    await this.#parts.abandoned.add(this.#ended.splice(0).map(({ object }) => object));
  }

  async #commitEnded(): Promise<number> {
    const { abandoned, catalog } = this.#parts;
    const ended = this.#ended.splice(0);
    if (ended.length === 0) return 0;
    // An object whose commit failed with an unknown outcome is abandoned only if it is still staged.
    let unused = ended;
    try {
      const outcomes = await catalog.commitAll(ended.map((copy) => this.#change(copy.key, copy)));
      unused = ended.filter((_, index) => outcomes[index]?.ok !== true || outcomes[index].result !== true);
      requireWritten(outcomes);
    } finally {
      if (unused.length > 0) await abandoned.add(unused.map(({ object }) => object));
    }
    return ended.length;
  }

  #change(key: ArtifactKey, copy: Copy | null): RelocatedChange {
    const { clock, owner, storeIds } = this.#parts;
    return {
      kind: "relocated",
      key,
      copy: copy && { from: copy.from, object: copy.object, store: this.#store.id },
      storeIds,
      owner,
      at: clock.now(),
    };
  }

  async #pending(): Promise<readonly MisplacedKey[]> {
    const { catalog, storeIds, stores } = this.#parts;
    const now = performance.now();
    for (const [name, at] of this.#failedAt) if (now - at > RETRY_MS) this.#failedAt.delete(name);
    const limit = COPIES + this.#copying.size + this.#failedAt.size;
    const found = await catalog.misplacedKeys(this.#store.id, storeIds, [...stores.keys()], limit);
    return found.filter(({ key }) => !this.#copying.has(keyText(key)) && !this.#failedAt.has(keyText(key)));
  }

  /** Returns the rows whose copies can start now. */
  #affordable(rows: readonly ArtifactRow[]): readonly ArtifactRow[] {
    let isLargeFree = [...this.#copying.values()].every(({ sizeBytes }) => sizeBytes <= LARGE_BYTES);
    return rows
      .filter(({ sizeBytes }) => {
        if (sizeBytes <= LARGE_BYTES) return true;
        const isFree = isLargeFree;
        isLargeFree = false;
        return isFree;
      })
      .slice(0, COPIES - this.#copying.size);
  }

  async #start(rows: readonly ArtifactRow[]): Promise<void> {
    const { abandoned, catalog, clock, owner, random } = this.#parts;
    const copies = rows.map((row) => ({ row, object: newObject(random) }));
    const stage = { kind: "stage", store: this.#store.id, owner, at: clock.now() } as const;
    try {
      await commitAllOf(
        catalog,
        copies.map(({ object }) => ({ ...stage, object })),
      );
    } catch (error) {
      await abandoned.add(copies.map(({ object }) => object));
      throw error;
    }
    for (const { row, object } of copies) {
      const ended = this.#copy(row, object);
      this.#copying.set(keyText(row), { sizeBytes: row.sizeBytes, ended });
    }
  }

  /** Never rejects. */
  async #copy(row: ArtifactRow, object: ObjectId): Promise<void> {
    const name = keyText(row);
    try {
      if (await this.#copied(row, object))
        this.#ended.push({ key: row, sizeBytes: row.sizeBytes, from: row.object, object });
      else await this.#parts.abandoned.add([object]);
    } catch (error) {
      await this.#parts.abandoned.add([object]);
      if (!this.#closing.signal.aborted) {
        this.#failedAt.set(name, performance.now());
        this.#problem = error;
      }
    }
    this.#copying.delete(name);
    this.#onEnd();
  }

  /** Returns false where the row has changed. */
  async #copied(row: ArtifactRow, object: ObjectId): Promise<boolean> {
    const { signal } = this.#closing;
    let isCurrent = true;
    const content = await this.#parts.reader.open(
      row,
      ({ version }) => {
        isCurrent = version === row.version;
        return isCurrent ? null : false;
      },
      signal,
    );
    if (content === null || !isCurrent) return false;
    const { modifiedAt } = row;
    const written = await this.#store.write(object, content.body, { maxBytes: null, modifiedAt, signal });
    if (written.checksum !== row.checksum)
      throw new Refused("CHECKSUM_MISMATCH", "The copy of an object differs from it. It will be made again.");
    return true;
  }
}
