import type { Transition } from "../../domain/policy.ts";
import { builder } from "../types/builder.ts";
import { LifecycleStepType } from "./lifecycle-step.ts";

export const NextTransition = builder.objectRef<Transition>("NextTransition");

NextTransition.implement({
  description: "What the lifecycle does to an artifact next, if it stays as it is.",
  fields: (t) => ({
    action: t.expose("action", { type: LifecycleStepType, description: "The step it is in for." }),
    at: t.expose("at", {
      type: "DateTime",
      description:
        "When its age reaches the threshold. The first lifecycle run after this instant takes the step. Where server.schedule is null, runs start only by hand.",
    }),
  }),
});
