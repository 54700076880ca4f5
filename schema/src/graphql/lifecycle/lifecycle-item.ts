import type { LifecycleItemOutcome } from "../../domain/jobs.ts";
import type { LifecycleItem } from "../../services/jobs.ts";
import { TierType } from "../artifact/tier.ts";
import { builder } from "../types/builder.ts";
import { described } from "../types/described-enum.ts";
import { ErrorCodeType } from "../types/error-code.ts";
import { LifecycleStepType } from "./lifecycle-step.ts";

const LifecycleItemOutcomeType = builder.enumType("LifecycleItemOutcome", {
  description: "What became of an artifact that was due.",
  values: described<LifecycleItemOutcome>({
    PLANNED: "Not done yet; on a dry run: what a live run at that instant would do.",
    DONE: "The step was taken.",
    SKIPPED: "It changed after it was found due, or is held (then errorCode is HELD), so it was left alone.",
    FAILED: "The step could not be taken; errorCode and error say why.",
  }),
});

export const LifecycleItemType = builder.objectRef<LifecycleItem>("LifecycleItem");

export const LifecycleItemConnection = builder.connectionObject({
  type: LifecycleItemType,
  name: "LifecycleItemConnection",
});

LifecycleItemType.implement({
  description: "What a lifecycle run did to one artifact or, dry, would do.",
  fields: (t) => ({
    tenantId: t.exposeString("tenantId", { description: "First part of the artifact's key." }),
    workflowId: t.exposeString("workflowId", { description: "Second part of the artifact's key." }),
    artifactId: t.exposeString("artifactId", { description: "Last part of the artifact's key." }),
    step: t.expose("step", { type: LifecycleStepType, description: "The step it was due for." }),
    fromTier: t.expose("fromTier", { type: TierType, description: "The tier the step takes it from." }),
    toTier: t.expose("toTier", {
      type: TierType,
      nullable: true,
      description: "The tier the step takes it to. Null: the step purges it.",
    }),
    ageDays: t.exposeFloat("ageDays", { description: "Its age in days at the run's asOf." }),
    sizeBytes: t.expose("sizeBytes", { type: "SafeInt", description: "Size of its content in bytes." }),
    outcome: t.expose("outcome", { type: LifecycleItemOutcomeType, description: "What became of it." }),
    errorCode: t.expose("errorCode", {
      type: ErrorCodeType,
      nullable: true,
      description: "Why it FAILED; HELD where it was SKIPPED since nothing may purge it; else null.",
    }),
    error: t.exposeString("error", {
      nullable: true,
      description: "The same as a sentence.",
    }),
  }),
});
