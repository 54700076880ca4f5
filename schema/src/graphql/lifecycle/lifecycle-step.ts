import type { LifecycleStep } from "../../domain/policy.ts";
import { builder } from "../types/builder.ts";
import { described } from "../types/described-enum.ts";

export const LifecycleStepType = builder.enumType("LifecycleStep", {
  description:
    "What the lifecycle does to an artifact whose age is over a threshold. One run takes at most one step with each.",
  values: described<LifecycleStep>({
    PROMOTE_TO_WARM: "Moves it from HOT to WARM: its age is over hotDays.",
    PROMOTE_TO_COLD: "Moves it from WARM to COLD: its age is over warmDays.",
    PURGE: "Deletes it from COLD: its age is over coldDays.",
  }),
});
