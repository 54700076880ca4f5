import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import { keyOf, keyText } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import type { Catalog } from "../catalog/catalog.ts";
import type { ArtifactRow } from "../catalog/rows.ts";
import type { Abandoned } from "../engine/abandoned.ts";
import type { Clock } from "../engine/clock.ts";
import { newObject, type RandomBytes } from "../engine/new-object.ts";
import type { FoundAt, TierStore } from "../tiers/tier-store.ts";
import { pathOf } from "./adoption.ts";
import type { RepairJob } from "./repairer.ts";

/** Damaged artifacts whose objects are looked at for one another's bytes. */
const PARTNERS = 10_000;

export interface ContentRecoveryParts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly stores: ReadonlyMap<string, TierStore>;
  /** This process's name for what it stages. */
  readonly owner: string;
  readonly abandoned: Abandoned;
}

type QuarantinedBySize = ReadonlyMap<number, readonly { readonly name: string }[]>;

/** Somewhere that may hold an artifact's bytes. */
type Source = FoundAt | { readonly object: string };

/** Looks for the bytes of artifacts whose own are damaged or gone. Deletes nothing: the old ones go to quarantine. */
export class ContentRecovery {
  readonly #parts: ContentRecoveryParts;

  constructor(parts: ContentRecoveryParts) {
    this.#parts = parts;
  }

  /**
   * Gives these artifacts, marked as damaged, their bytes back where the right ones stand somewhere: in their places of
   * the tree, in quarantine, or as one another's objects. What is healed is told by its own commit. False: `signal` aborted
   * first.
   */
  async recover(job: RepairJob, rows: readonly ArtifactRow[], signal: AbortSignal): Promise<boolean> {
    const partners = await this.#partners();
    const quarantined = await this.#quarantined();
    const healed: ArtifactRow[] = [];
    for (const row of rows) {
      if (signal.aborted) return false;
      const store = this.#parts.stores.get(row.store);
      if (store === undefined || row.inline) continue;
      for (const source of this.#sources(row, store, partners, quarantined)) {
        if (!(await this.#take(job, row, store, source, signal))) continue;
        healed.push(row);
        break;
      }
    }
    // Only now: each may have been what another one was looking for.
    for (const { store, object } of healed) await this.#parts.stores.get(store)?.quarantine(object);
    return true;
  }

  /** Objects of damaged artifacts by their sizes: a name may have come to stand for another one's bytes. */
  async #partners(): Promise<ReadonlyMap<number, readonly string[]>> {
    const { catalog, stores } = this.#parts;
    const bySize = new Map<number, string[]>();
    for (const { object, store, inline } of await catalog.damagedAfter(0, PARTNERS)) {
      const there = inline ? null : await stores.get(store)?.stat(object);
      if (!there) continue;
      const same = bySize.get(there.sizeBytes);
      if (same === undefined) bySize.set(there.sizeBytes, [object]);
      else same.push(object);
    }
    return bySize;
  }

  /** Names in quarantine by store and size. */
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
    partners: ReadonlyMap<number, readonly string[]>,
    quarantined: ReadonlyMap<string, QuarantinedBySize>,
  ): readonly Source[] {
    const sameSize = quarantined.get(store.id)?.get(row.sizeBytes) ?? [];
    return [
      ...(store.view === null ? [] : TIERS.map((tier) => ({ key: keyOf(row), tier }))),
      ...sameSize.map(({ name }) => ({ quarantined: name })),
      ...(partners.get(row.sizeBytes) ?? [])
        .filter((object) => object !== row.object)
        .map((object) => ({ object })),
    ];
  }

  /** Copies the bytes into a new object, where they are the right ones; false: they are not, or not there. */
  async #take(
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
    let healed = false;
    try {
      const body =
        "object" in source ? await store.read(source.object, wanted) : await store.readFound(source, wanted);
      if (body === null) return false;
      try {
        await catalog.commit({ kind: "stage", object, store: store.id, owner, at: clock.now() });
      } catch (error) {
        await body[Symbol.asyncIterator]().return?.();
        throw error;
      }
      await store.write(object, body, { maxBytes: null, modifiedAt, signal });
      const as = { damaged: row.object, object, store: store.id, owner };
      const finding = healedFinding(row);
      healed = await catalog.commit({
        kind: "recover",
        at: clock.now(),
        ...job,
        finding,
        key: keyOf(row),
        ...as,
      });
      return healed;
    } catch (error) {
      if (isOther(error) || signal.aborted) return false;
      throw error;
    } finally {
      if (!healed) await abandoned.add([object]);
    }
  }
}

function healedFinding(row: ArtifactRow): StoreFinding {
  return {
    kind: "HEALED",
    path: pathOf(row, row.tier),
    ...keyOf(row),
    tier: row.tier,
    message: `The bytes of ${keyText(row)} were found, and it has them again. What was left of the old ones goes to quarantine.`,
  };
}

/** What is there are other bytes, or cannot be read. */
function isOther(error: unknown): boolean {
  if (!(error instanceof Refused)) return false;
  const { code } = (error.cause ?? {}) as { readonly code?: unknown };
  return error.code === "CHECKSUM_MISMATCH" || code === "EIO" || code === "ELOOP";
}
