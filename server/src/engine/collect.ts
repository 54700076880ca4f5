import type { Catalog } from "../catalog/catalog.ts";
import type { TierStore } from "../tiers/tier-store.ts";
import { commitAllOf } from "./commit-all.ts";

/** Objects removed with one round of syncs. */
const BATCH = 256;

/**
 * Removes objects that no row names and no view links to, and only then their garbage rows: a crash between leaves a
 * row to try again, never an object that nothing knows. Returns how many it removed.
 */
export async function collect(
  catalog: Catalog,
  stores: ReadonlyMap<string, TierStore>,
  now: number,
): Promise<number> {
  const garbage = await catalog.garbage(now, BATCH);
  for (const [store, own] of Map.groupBy(garbage, (object) => object.store)) {
    await stores.get(store)?.delete(own.map(({ object }) => object));
    await commitAllOf(
      catalog,
      own.map(({ object }) => ({ kind: "collected" as const, object })),
    );
  }
  return garbage.length;
}
