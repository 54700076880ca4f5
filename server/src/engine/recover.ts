import type { Catalog } from "../catalog/catalog.ts";

/** Rows treated in one commit, so that a crowd left by a crash holds up no writer. */
const BATCH = 500;

/** What a dead owner had staged becomes garbage. Nothing else is ever deleted at start. */
export async function abandonStrangers(catalog: Catalog, owner: string, now: () => number): Promise<void> {
  let count: number;
  do {
    count = await catalog.commit({ kind: "abandonStrangers", owner, limit: BATCH, at: now() });
  } while (count === BATCH);
}
