import { TIERS } from "@tierkeep/schema/domain/tiers";

/** Artifacts and bytes by tier, in the order of USAGE_COLUMNS. */
export type Counts = [number, number, number, number, number, number];

export const USAGE_COLUMNS = ["hot", "hot_bytes", "warm", "warm_bytes", "cold", "cold_bytes"] as const;

/** What the columns count, in the plural. */
export const USAGE_NAMES = TIERS.flatMap((tier) => [`artifacts in ${tier}`, `bytes in ${tier}`]);

/** The same columns of a table h. */
export const PREFIXED_USAGE_COLUMNS = USAGE_COLUMNS.map((column) => `h.${column}`).join(", ");

export function noUsage(): Counts {
  return [0, 0, 0, 0, 0, 0];
}

/** Returns the set of tiers with artifacts, as bits. */
export function tiersOf(counts: Counts): number {
  return (counts[0] > 0 ? 1 : 0) | (counts[2] > 0 ? 2 : 0) | (counts[4] > 0 ? 4 : 0);
}
