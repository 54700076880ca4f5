import { keyText } from "@tierkeep/schema/domain/keys";
import type { Catalog } from "../catalog/catalog.ts";
import type { DirtyKey } from "../catalog/rows.ts";
import type { TierStore } from "../tiers/tier-store.ts";
import type { Placement, Published, TierView } from "../tiers/tier-view.ts";
import { commitAllOf } from "./commit-all.ts";
import { sidecarOf } from "./sidecar.ts";

/** Maximum number of keys that share one round of fsyncs. */
const BATCH = 128;

export interface PublishReport extends Pick<Published, "quarantined" | "failed"> {
  /** Number of keys in the batch. */
  readonly keys: number;
}

/**
 * Makes the view of unpublished keys match their current rows. Then marks those keys as published that have
 * not changed again. It works from the state, not from the changes: order and repetition do not matter, and
 * several changes of one key cost one publication. Keys of a store that is not in `stores` wait until it is
 * open. Keys in `skipped` are left for later; keys that fail are added to it.
 */
export async function publish(
  catalog: Catalog,
  stores: ReadonlyMap<string, TierStore>,
  view: TierView | null,
  skipped: Set<string>,
): Promise<PublishReport> {
  const found = await catalog.dirtyKeys([...stores.keys()], BATCH + skipped.size);
  const dirty = found.filter(({ key }) => !skipped.has(keyText(key)));
  if (dirty.length === 0) return { keys: 0, quarantined: [], failed: [] };
  const { quarantined, failed } = view
    ? await view.publish(dirty.map((one) => placementOf(one, view)))
    : { quarantined: [], failed: [] };
  for (const { key } of failed) skipped.add(keyText(key));
  const published = dirty.filter(({ key }) => !skipped.has(keyText(key)));
  await commitAllOf(
    catalog,
    published.map(({ key, version }) => ({ kind: "published" as const, key, version })),
  );
  return { keys: dirty.length, quarantined, failed };
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
