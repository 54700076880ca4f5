import type { Catalog } from "../catalog/catalog.ts";
import type { Change } from "../catalog/changes.ts";

/**
 * Commits changes of kinds that are never refused. @throws the first error for which one could not be
 * written
 */
export async function commitAllOf(catalog: Catalog, changes: readonly Change[]): Promise<void> {
  requireWritten(await catalog.commitAll(changes));
}

/** @throws the first error for which a change could not be written */
export function requireWritten(
  outcomes: readonly ({ readonly ok: true } | { readonly ok: false; readonly refused: Error })[],
): void {
  for (const outcome of outcomes) if (!outcome.ok) throw outcome.refused;
}
