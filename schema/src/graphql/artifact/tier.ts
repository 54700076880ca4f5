import type { Tier } from "../../domain/tiers.ts";
import { builder } from "../types/builder.ts";
import { described } from "../types/described-enum.ts";

export const TierType = builder.enumType("Tier", {
  description: "Where an artifact's bytes are kept. It is in exactly one tier at any time.",
  values: described<Tier>({
    HOT: "The hottest: where artifacts are written unless told otherwise.",
    WARM: "Between the two: where the lifecycle moves what has aged out of HOT.",
    COLD: "The coldest: where the lifecycle moves what has aged out of WARM, and purges from.",
  }),
});
