import type { Catalog } from "../catalog/catalog.ts";
import type { Change } from "../catalog/changes.ts";

/** Commits changes of which none is ever refused for what it says. @throws the first reason why one could not be written */
export async function commitAllOf(catalog: Catalog, changes: readonly Change[]): Promise<void> {
  for (const outcome of await catalog.commitAll(changes)) if (!outcome.ok) throw outcome.refused;
}
