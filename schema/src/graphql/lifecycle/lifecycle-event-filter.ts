import { LIFECYCLE_EVENT_TYPES } from "../../domain/events.ts";
import type { LifecycleEventFilter } from "../../services/events.ts";
import { optionalIdentifier, optionalSubset } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { parseJobGlobalId } from "../types/global-ids.ts";
import { LifecycleEventTypeEnum } from "./lifecycle-event.ts";

export const LifecycleEventFilterInput = builder.inputType("LifecycleEventFilter", {
  description: "Which events. Everything given must hold; an empty filter takes all.",
  fields: (t) => ({
    tenantId: t.string({ description: "Of this tenant." }),
    workflowId: t.string({ description: "Of the workflow of this name." }),
    artifactId: t.string({ description: "Of the artifact of this name." }),
    types: t.field({
      type: [LifecycleEventTypeEnum],
      description: "Of one of these types. An empty list: BAD_USER_INPUT.",
    }),
    jobId: t.id({
      description:
        "Of the job of this global id. An id that is malformed or of something else is no job's: no events.",
    }),
    dryRun: t.boolean({ description: "Only those that were tried out, or only those that were not." }),
    since: t.field({ type: "DateTime", description: "At or after this instant." }),
    until: t.field({ type: "DateTime", description: "Before this instant." }),
  }),
});

/** No job has it: every one has a random id. */
const NO_JOB = "";

/** @throws Refused INVALID_IDENTIFIER for a name that breaks the rule, BAD_USER_INPUT for an empty list of types */
export function requireLifecycleEventFilter(
  where: typeof LifecycleEventFilterInput.$inferInput | null | undefined,
): LifecycleEventFilter {
  const given = where ?? {};
  return {
    tenantId: optionalIdentifier("tenantId", given.tenantId, "where.tenantId"),
    workflowId: optionalIdentifier("workflowId", given.workflowId, "where.workflowId"),
    artifactId: optionalIdentifier("artifactId", given.artifactId, "where.artifactId"),
    types: optionalSubset(LIFECYCLE_EVENT_TYPES, given.types, "where.types"),
    jobId: given.jobId == null ? undefined : (parseJobGlobalId(given.jobId) ?? NO_JOB),
    dryRun: given.dryRun ?? undefined,
    since: given.since ?? undefined,
    until: given.until ?? undefined,
  };
}
