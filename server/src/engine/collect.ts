import type { Catalog } from "../catalog/catalog.ts";
import type { TierStore } from "../tiers/tier-store.ts";
import { commitAllOf } from "./commit-all.ts";

/** Objects per round of syncs. */
const BATCH = 256;

/**
 * Deletes garbage of one store whose grace has passed: objects that no row names and no view links to, then
 * their garbage rows. A crash in between leaves a row to try again, never an unknown object. Returns how many
 * it deleted; null: there are some, but a backup pins them.
 *
 * @param mayCollect false while a backup pins the objects. Called after the garbage is listed: a backup that
 * starts later copies a state in which all of it is garbage already.
 */
export async function collect(
  catalog: Catalog,
  store: TierStore,
  now: number,
  mayCollect: () => boolean,
): Promise<number | null> {
  const garbage = await catalog.garbage(store.id, now - store.graceMs, BATCH);
  if (garbage.length === 0) return 0;
  if (!mayCollect()) return null;
  await store.delete(garbage.map(({ object }) => object));
  await commitAllOf(
    catalog,
    garbage.map(({ object }) => ({ kind: "collected" as const, object })),
  );
  return garbage.length;
}
