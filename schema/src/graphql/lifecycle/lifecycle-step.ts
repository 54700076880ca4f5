import type { LifecycleStep } from "../../domain/policy.ts";
import { builder } from "../types/builder.ts";
import { described } from "../types/described-enum.ts";

export const LifecycleStepType = builder.enumType("LifecycleStep", {
  description:
    "A step of the lifecycle for an artifact whose age is over a threshold. One run applies at most one step to each artifact.",
  values: described<LifecycleStep>({
    PROMOTE_TO_WARM: "Move from HOT to WARM, for an age over `hotDays`.",
    PROMOTE_TO_COLD: "Move from WARM to COLD, for an age over `warmDays`.",
    PURGE: "Delete from COLD, for an age over `coldDays`.",
  }),
});
