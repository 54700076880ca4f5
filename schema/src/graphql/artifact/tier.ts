import type { Tier } from "../../domain/tiers.ts";
import { builder } from "../types/builder.ts";
import { described } from "../types/described-enum.ts";

export const TierType = builder.enumType("Tier", {
  description: "The storage tier of an artifact. An artifact is in exactly one tier at any time.",
  values: described<Tier>({
    HOT: "The hottest tier, and the default of a write.",
    WARM: "The middle tier. The lifecycle moves artifacts here from HOT.",
    COLD: "The coldest tier. The lifecycle moves artifacts here from WARM, and purges them from here.",
  }),
});
