import type { Catalog } from "../catalog/catalog.ts";
import type { TierStore } from "../tiers/tier-store.ts";
import { commitAllOf } from "./commit-all.ts";

/** Objects removed with one round of syncs. */
const BATCH = 256;

/**
 * Removes objects that no row names and no view links to, and only then their garbage rows: a crash between leaves a
 * row to try again, never an object that nothing knows. Returns how many it removed; null: there are some, and for now
 * they must stay.
 *
 * @param mayCollect false while somebody copies an earlier state. It is asked after the garbage has been listed: whoever
 * begins to copy later begins with a state in which all of this is garbage.
 */
export async function collect(
  catalog: Catalog,
  stores: ReadonlyMap<string, TierStore>,
  now: number,
  mayCollect: () => boolean,
): Promise<number | null> {
  const garbage = await catalog.garbage(now, BATCH);
  if (garbage.length > 0 && !mayCollect()) return null;
  for (const [store, own] of Map.groupBy(garbage, (object) => object.store)) {
    await stores.get(store)?.delete(own.map(({ object }) => object));
    await commitAllOf(
      catalog,
      own.map(({ object }) => ({ kind: "collected" as const, object })),
    );
  }
  return garbage.length;
}
