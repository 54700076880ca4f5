import { type ArtifactKey, keyText } from "@tierkeep/schema/domain/keys";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Catalog } from "../catalog/catalog.ts";
import type { DirtyKey } from "../catalog/rows.ts";
import type { TierStore } from "../tiers/tier-store.ts";
import type { Blocked, Moved, Placement, Published, TierView } from "../tiers/tier-view.ts";
import { commitAllOf } from "./commit-all.ts";
import { sidecarOf } from "./sidecar.ts";

/** Maximum number of keys that share one round of fsyncs. */
const BATCH = 128;

export interface PublishReport extends Pick<Published, "quarantined" | "failed"> {
  /** Number of keys in the batch. */
  readonly keys: number;
}

/** Keys that a pass leaves for later, by their texts. */
export class Deferred {
  /** Keys that failed (null), or the key in their way. */
  readonly #skipped = new Map<string, string | null>();
  /** Keys in the way of others, and the tier in which each must become a folder. */
  readonly #folders = new Map<string, Tier>();

  get size(): number {
    return this.#skipped.size;
  }

  has(key: ArtifactKey): boolean {
    return this.#skipped.has(keyText(key));
  }

  failed(key: ArtifactKey): void {
    this.#skipped.set(keyText(key), null);
  }

  blocked({ key, by, tier }: Blocked): void {
    this.#skipped.set(keyText(key), keyText(by));
    this.#folders.set(keyText(by), tier);
  }

  /** Whether the key is in the way of others in this tier. */
  blocksIn(key: ArtifactKey, tier: Tier): boolean {
    return this.#folders.get(keyText(key)) === tier;
  }

  /** Releases the keys that these keys blocked. */
  release(keys: readonly ArtifactKey[]): void {
    const names = new Set<string | null>(keys.map(keyText));
    for (const [name, by] of this.#skipped) if (names.has(by)) this.#skipped.delete(name);
  }

  clear(): void {
    this.#skipped.clear();
    this.#folders.clear();
  }
}

/**
 * Makes the view of unpublished keys match their current rows. Then marks those keys as published that have
 * not changed again. It works from the state, not from the changes: order and repetition do not matter, and
 * several changes of one key cost one publication. Keys of a store that is not in `stores` wait until it is
 * open. Deferred keys are left for later; keys that fail or are blocked become deferred.
 */
export async function publish(
  catalog: Catalog,
  stores: ReadonlyMap<string, TierStore>,
  view: TierView | null,
  deferred: Deferred,
): Promise<PublishReport> {
  const found = await catalog.dirtyKeys([...stores.keys()], BATCH + deferred.size);
  const dirty = found.filter(({ key }) => !deferred.has(key));
  if (dirty.length === 0) return { keys: 0, quarantined: [], failed: [] };
  const { quarantined, failed, blocked } = view
    ? await view.publish(placementsOf(dirty, view, deferred))
    : { quarantined: [], failed: [], blocked: [] };
  for (const { key } of failed) deferred.failed(key);
  for (const one of blocked) deferred.blocked(one);
  const published = dirty.filter(({ key }) => !deferred.has(key));
  await commitAllOf(
    catalog,
    published.map(({ key, version }) => ({ kind: "published" as const, key, version })),
  );
  deferred.release(published.map(({ key }) => key));
  const setAside = view && blocked.length > 0 ? await clearTheWay(catalog, view, blocked, deferred) : [];
  return { keys: dirty.length, quarantined: [...quarantined, ...setAside], failed };
}

/** Keys that become folders come first, so that the keys that they block can follow. */
function placementsOf(dirty: readonly DirtyKey[], view: TierView, deferred: Deferred): readonly Placement[] {
  const placements = dirty.map((one): Placement => {
    const placement = placementOf(one, view);
    const { key, place } = placement;
    return place !== null && deferred.blocksIn(key, place.tier) ? { ...placement, folder: true } : placement;
  });
  return placements.toSorted((a, b) => Number(b.folder ?? false) - Number(a.folder ?? false));
}

/**
 * Has the artifacts that block other keys published again, as files in folders. Moves files that are no
 * artifact's to quarantine, and returns them. Unpublished keys follow anyway.
 */
async function clearTheWay(
  catalog: Catalog,
  view: TierView,
  blocked: readonly Blocked[],
  deferred: Deferred,
): Promise<readonly Moved[]> {
  const inTheWay = [...new Map(blocked.map(({ by, tier }) => [keyText(by), { key: by, tier }])).values()];
  const keys = inTheWay.map(({ key }) => key);
  // Rows first: a key that is purged between the two reads has a mark at the second one.
  const rows = await catalog.artifacts(keys);
  const dirty = await catalog.areDirty(keys);
  const published = inTheWay.filter((_, index) => rows[index] !== null && !dirty[index]);
  await commitAllOf(
    catalog,
    published.map(({ key }) => ({ kind: "republish" as const, key })),
  );
  const foreign = inTheWay.filter((_, index) => rows[index] === null && !dirty[index]);
  if (foreign.length === 0) return [];
  const moved = await view.setAside(foreign);
  deferred.release(foreign.map(({ key }) => key));
  return moved;
}

/** How a view shows a key. A view shows only objects of its own store. */
export function placementOf(
  { key, row, garbage }: Omit<DirtyKey, "version">,
  view: Pick<TierView, "store">,
): Placement {
  return {
    key,
    place: row?.store !== view.store ? null : { tier: row.tier, object: row.object, sidecar: sidecarOf(row) },
    earlier: garbage.filter(({ store }) => store === view.store).map(({ object }) => object),
  };
}
