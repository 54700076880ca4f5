import type { Catalog } from "../catalog/catalog.ts";
import type { TierStore } from "../tiers/tier-store.ts";
import { commitAllOf } from "./commit-all.ts";

/** Objects per round of syncs. */
const BATCH = 256;

/**
 * Deletes objects that no row names and no view links to, then their garbage rows. A crash in between leaves
 * a row to try again, never an unknown object. Returns how many it deleted; null: there are some, but a
 * backup pins them.
 *
 * @param mayCollect false while a backup pins the objects. Called after the garbage is listed: a backup that
 * starts later copies a state in which all of it is garbage already.
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
