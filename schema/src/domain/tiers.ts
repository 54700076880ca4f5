/** The three tiers, hottest first. An artifact is in exactly one of them at any time. */
export const TIERS = ["HOT", "WARM", "COLD"] as const;

export type Tier = (typeof TIERS)[number];

/** Returns the distance of a tier from the hottest one: HOT 0, WARM 1, COLD 2. */
export function coldness(tier: Tier): number {
  return TIERS.indexOf(tier);
}

/** Returns true if `tier` is hotter than `other`. */
export function isHotter(tier: Tier, other: Tier): boolean {
  return coldness(tier) < coldness(other);
}
