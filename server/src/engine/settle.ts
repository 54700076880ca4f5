import type { Catalog } from "../catalog/catalog.ts";
import type { TierStore } from "../tiers/tier-store.ts";
import { commitAllOf } from "./commit-all.ts";

/** Objects per round of syncs. */
const BATCH = 64;

/**
 * Writes inline content of one store to its objects; the rows then drop their copies where they still name them.
 * Where a row was replaced in between, its object is garbage and is collected. Must not run concurrently with
 * collect, which could delete an object while it is written here. Returns the number of objects.
 */
export async function settle(catalog: Catalog, store: TierStore): Promise<number> {
  const objects = await catalog.unsettled(store.id, BATCH);
  if (objects.length === 0) return 0;
  await store.put(objects.map(({ object, bytes, modifiedAt }) => ({ object, bytes, modifiedAt })));
  await commitAllOf(
    catalog,
    objects.map(({ key, object }) => ({ kind: "settled" as const, key, object })),
  );
  return objects.length;
}
