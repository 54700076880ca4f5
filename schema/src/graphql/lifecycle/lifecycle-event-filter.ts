import { LIFECYCLE_EVENT_TYPES } from "../../domain/events.ts";
import type { LifecycleEventFilter } from "../../services/events.ts";
import { optionalIdentifier, optionalSubset } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { parseJobGlobalId } from "../types/global-ids.ts";
import { LifecycleEventTypeEnum } from "./lifecycle-event.ts";

export const LifecycleEventFilterInput = builder.inputType("LifecycleEventFilter", {
  description:
    "Selects events. An event matches if it satisfies every given field. An empty filter matches all events.",
  fields: (t) => ({
    tenantId: t.string({ description: "Events of this tenant." }),
    workflowId: t.string({
      description: "Events of workflows with this name, in every tenant unless `tenantId` is given.",
    }),
    artifactId: t.string({ description: "Events of artifacts with this name." }),
    types: t.field({
      type: [LifecycleEventTypeEnum],
      description: "Events of one of these types. An empty list: BAD_USER_INPUT.",
    }),
    jobId: t.id({
      description:
        "Events of the job with this global id. A malformed id, or one of another type, matches no events.",
    }),
    dryRun: t.boolean({
      description: "True: only events of dry runs. False: only events of real changes. Default: both.",
    }),
    since: t.field({ type: "DateTime", description: "Events at or after this instant." }),
    until: t.field({ type: "DateTime", description: "Events before this instant." }),
  }),
});

/** Matches no job, because no job id is empty. */
const NO_JOB = "";

/**
 * Returns a filter for the services. @throws Refused INVALID_IDENTIFIER for a name that breaks the naming
 * rule, BAD_USER_INPUT for an empty list of types
 */
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
