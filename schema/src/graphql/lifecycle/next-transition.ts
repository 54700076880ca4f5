import type { Transition } from "../../domain/policy.ts";
import { builder } from "../types/builder.ts";
import { LifecycleStepType } from "./lifecycle-step.ts";

export const NextTransition = builder.objectRef<Transition>("NextTransition");

NextTransition.implement({
  description:
    "The next lifecycle step for an artifact, provided that the artifact and the policy do not change.",
  fields: (t) => ({
    action: t.expose("action", { type: LifecycleStepType, description: "The step." }),
    at: t.expose("at", {
      type: "DateTime",
      description:
        "When the age reaches the threshold. The first lifecycle run after this instant applies the step. If `Server.schedule` is null, runs start only with runLifecycle.",
    }),
  }),
});
