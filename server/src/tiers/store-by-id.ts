import { Refused } from "@tierkeep/schema/domain/refusals";
import type { TierStore } from "./tier-store.ts";

/** Id of the store below STORAGE_BASE_PATH. */
export const ROOT_STORE = "base";

/** Returns the store with the id of a row. @throws Refused TIER_UNAVAILABLE if it is not open */
export function storeById(stores: ReadonlyMap<string, TierStore>, id: string): TierStore {
  const store = stores.get(id);
  if (store === undefined) throw notOpen(id);
  return store;
}

/** Returns the refusal for an object in a store that is not open. */
export function notOpen(id: string): Refused {
  return new Refused(
    "TIER_UNAVAILABLE",
    `The store ${id}, which holds the bytes, is not configured here. Configure it, then try again.`,
  );
}
