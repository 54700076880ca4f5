import { Refused } from "@tierkeep/schema/domain/refusals";
import type { TierStore } from "./tier-store.ts";

/** Returns the store with the id of a row. @throws Refused TIER_UNAVAILABLE if it is not open */
export function storeById(stores: ReadonlyMap<string, TierStore>, id: string): TierStore {
  const store = stores.get(id);
  if (store !== undefined) return store;
  throw new Refused(
    "TIER_UNAVAILABLE",
    `The store ${id}, which holds the bytes, is not configured here. Configure it, then try again.`,
  );
}
