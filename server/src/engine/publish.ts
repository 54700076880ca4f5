import { keyText } from "@tierkeep/schema/domain/keys";
import type { Catalog } from "../catalog/catalog.ts";
import type { DirtyKey } from "../catalog/rows.ts";
import type { Placement, Published, TierView } from "../tiers/tier-view.ts";
import { commitAllOf } from "./commit-all.ts";
import { sidecarOf } from "./sidecar.ts";

/** Keys published with one round of syncs. */
const BATCH = 128;

export interface PublishReport extends Pick<Published, "quarantined" | "failed"> {
  /** How many keys were looked at. */
  readonly keys: number;
}

/**
 * Makes the view of keys that changed agree with their rows as they are now, then clears their marks where no newer
 * change has come. Driven by the state and not by the change: order and repeats do not matter, and several changes of
 * one key cost one publication. Keys in `passedOver` are left for later; those that fail join them.
 */
export async function publish(
  catalog: Catalog,
  view: TierView | null,
  passedOver: Set<string>,
): Promise<PublishReport> {
  const found = await catalog.dirtyKeys(BATCH + passedOver.size);
  const dirty = found.filter(({ key }) => !passedOver.has(keyText(key)));
  if (dirty.length === 0) return { keys: 0, quarantined: [], failed: [] };
  const { quarantined, failed } = view
    ? await view.publish(dirty.map(placementOf))
    : { quarantined: [], failed: [] };
  for (const { key } of failed) passedOver.add(keyText(key));
  const published = dirty.filter(({ key }) => !passedOver.has(keyText(key)));
  await commitAllOf(
    catalog,
    published.map(({ key, version }) => ({ kind: "published" as const, key, version })),
  );
  return { keys: dirty.length, quarantined, failed };
}

export function placementOf({ key, row, garbage }: Omit<DirtyKey, "version">): Placement {
  return {
    key,
    place: row && { tier: row.tier, object: row.object, sidecar: sidecarOf(row) },
    earlier: garbage.map(({ object }) => object),
  };
}
