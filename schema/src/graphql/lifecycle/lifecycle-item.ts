import type { LifecycleItemOutcome } from "../../domain/jobs.ts";
import type { LifecycleItem } from "../../services/jobs.ts";
import { TierType } from "../artifact/tier.ts";
import { builder } from "../types/builder.ts";
import { described } from "../types/described-enum.ts";
import { ErrorCodeType } from "../types/error-code.ts";
import { LifecycleStepType } from "./lifecycle-step.ts";

const LifecycleItemOutcomeType = builder.enumType("LifecycleItemOutcome", {
  description: "The outcome of a lifecycle step for one artifact.",
  values: described<LifecycleItemOutcome>({
    PLANNED: "The step is not done yet. On a dry run: a live run at the same instant would do it.",
    DONE: "The step was done.",
    SKIPPED: "The step was not done: the artifact changed after it became due, or is held (errorCode HELD).",
    FAILED: "The step failed; see `errorCode` and `error`.",
  }),
});

export const LifecycleItemType = builder.objectRef<LifecycleItem>("LifecycleItem");

export const LifecycleItemConnection = builder.connectionObject({
  type: LifecycleItemType,
  name: "LifecycleItemConnection",
});

LifecycleItemType.implement({
  description:
    "The step of a lifecycle run for one artifact. On a dry run: the step that a live run would do.",
  fields: (t) => ({
    tenantId: t.exposeString("tenantId", { description: "First part of the artifact's key." }),
    workflowId: t.exposeString("workflowId", { description: "Second part of the artifact's key." }),
    artifactId: t.exposeString("artifactId", { description: "Last part of the artifact's key." }),
    step: t.expose("step", { type: LifecycleStepType, description: "The step that was due." }),
    fromTier: t.expose("fromTier", { type: TierType, description: "The tier before the step." }),
    toTier: t.expose("toTier", {
      type: TierType,
      nullable: true,
      description: "The tier after the step. Null if the step purges the artifact.",
    }),
    ageDays: t.exposeFloat("ageDays", { description: "The artifact's age in days at the run's `asOf`." }),
    sizeBytes: t.expose("sizeBytes", {
      type: "SafeInt",
      description: "Size of the artifact's content in bytes.",
    }),
    outcome: t.expose("outcome", { type: LifecycleItemOutcomeType, description: "The outcome of the step." }),
    errorCode: t.expose("errorCode", {
      type: ErrorCodeType,
      nullable: true,
      description:
        "Why the step FAILED. HELD if it was SKIPPED because the artifact is held. Otherwise null.",
    }),
    error: t.exposeString("error", {
      nullable: true,
      description: "The reason that `errorCode` gives, as a sentence.",
    }),
  }),
});
