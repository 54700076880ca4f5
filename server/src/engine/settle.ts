import type { Catalog } from "../catalog/catalog.ts";
import type { UnsettledObject } from "../catalog/rows.ts";
import type { TierStore } from "../tiers/tier-store.ts";
import { commitAllOf } from "./commit-all.ts";

/** Objects per round of syncs. */
const BATCH = 64;

/**
 * Writes inline content to its objects; the rows then drop their copies where they still name them. Where a
 * row was replaced in between, its object is garbage and is collected. Must not run concurrently with
 * collect, which could delete an object while it is written here. Returns the number of objects.
 */
export async function settle(catalog: Catalog, stores: ReadonlyMap<string, TierStore>): Promise<number> {
  const objects = await catalog.unsettled(BATCH);
  for (const [store, own] of Map.groupBy(objects, (object) => object.store)) {
    await putAll(stores.get(store), own);
    await commitAllOf(
      catalog,
      own.map(({ key, object }) => ({ kind: "settled" as const, key, object })),
    );
  }
  return objects.length;
}

async function putAll(store: TierStore | undefined, objects: readonly UnsettledObject[]): Promise<void> {
  if (!store)
    throw new Error(`No store ${objects[0]?.store} is configured, but the catalog holds bytes for it.`);
  await store.put(objects.map(({ object, bytes, modifiedAt }) => ({ object, bytes, modifiedAt })));
}
