import type { LifecycleEventType } from "../../domain/events.ts";
import type { LoggedEvent } from "../../services/events.ts";
import { TierType } from "../artifact/tier.ts";
import { builder } from "../types/builder.ts";
import { described } from "../types/described-enum.ts";
import { ErrorCodeType } from "../types/error-code.ts";
import { jobGlobalId, lifecycleEventGlobalId } from "../types/global-ids.ts";
import { ArtifactType } from "../types/references.ts";
import { JobType } from "./job.ts";

export const LifecycleEventTypeEnum = builder.enumType("LifecycleEventType", {
  description: "The type of an event.",
  values: described<LifecycleEventType>({
    ARTIFACT_WRITTEN: "A caller wrote or replaced an artifact.",
    ARTIFACT_PROMOTED: "A caller moved an artifact to another tier.",
    ARTIFACT_RESTORED: "A caller restored an artifact to a hotter tier, alone or with others.",
    ARTIFACT_PURGED: "A caller deleted an artifact.",
    ARTIFACT_ADOPTED:
      "A reindex or a repair added an artifact to the catalog that it found in the published tree.",
    PROMOTED_TO_WARM: "A lifecycle run moved an artifact from HOT to WARM.",
    PROMOTED_TO_COLD: "A lifecycle run moved an artifact from WARM to COLD.",
    PURGED_FROM_COLD: "A lifecycle run deleted an artifact from COLD.",
    PROMOTION_ERROR: "A move of an artifact failed.",
    PURGE_ERROR: "A purge of an artifact failed.",
    RESTORE_ERROR: "A restore of an artifact failed.",
    SCAN_ERROR:
      "A check found a problem: an artifact that is unreadable or damaged, an unknown or misplaced file in the store, or a wrong usage count. Written once for each problem.",
    LIFECYCLE_JOB_STARTED: "A job started.",
    LIFECYCLE_JOB_COMPLETED: "A job finished. Its status says how.",
    LIFECYCLE_STEP_FAILED:
      "A lifecycle run could not continue its purges and became BLOCKED. `error` states why.",
    REINDEX_CONFIRMED:
      "An administrator confirmed the findings of a reindex, which then no longer blocks purges.",
    ARTIFACT_READ:
      "A caller read an artifact's content, or part of it. Written only if the server logs reads.",
    ARTIFACT_HEALED: "A repair recovered the content of an artifact that was damaged or missing.",
    STRAY_QUARANTINED: "A repair moved an object or file that belongs to no artifact to quarantine.",
    API_KEY_CREATED: "An administrator created an API key. `error` names the key and its rights.",
    API_KEY_REVOKED: "An administrator revoked an API key. `error` names the key.",
    COUNTERS_RECOUNTED:
      "A repair corrected the usage counts of a tenant or a workflow, or of the complete store if neither is given. `error` states what was wrong.",
    SETTING_CHANGED: "A setting of the store changed. `error` names the setting with its old and new value.",
    RETENTION_CONFIRMED:
      "An operator confirmed a shortened retention, so purges use it immediately. `error` names the values.",
    QUARANTINE_EMPTIED: "An administrator deleted a file from quarantine. `error` names the file.",
  }),
});

export const LifecycleEventRef = builder.objectRef<LoggedEvent>("LifecycleEvent");

export const LifecycleEventConnection = builder.connectionObject(
  { type: LifecycleEventRef, name: "LifecycleEventConnection" },
  { description: "One event of a list. The edge's cursor is the event's `cursor`." },
);

LifecycleEventRef.implement({
  description:
    "One entry of the event log, written in the same commit as the change that it records. It never changes, and remains after its artifact is deleted.",
  interfaces: [builder.nodeInterfaceRef()],
  fields: (t) => ({
    id: t.id({ description: "Opaque global id.", resolve: ({ cursor }) => lifecycleEventGlobalId(cursor) }),
    cursor: t.exposeString("cursor", {
      description:
        "The event's position in the log. Pass it as `after` to continue from here, in the query lifecycleEvents with direction ASC or in the subscription lifecycleEvents.",
    }),
    timestamp: t.expose("timestamp", { type: "DateTime", description: "When the event happened." }),
    type: t.expose("type", { type: LifecycleEventTypeEnum, description: "The type of the event." }),
    actor: t.exposeString("actor", {
      nullable: true,
      description:
        "The author of the change: a caller's name, `schedule` for a run that the schedule started, or `system`.",
    }),
    tenantId: t.exposeString("tenantId", {
      nullable: true,
      description: "The event's tenant. Null for events over all tenants.",
    }),
    workflowId: t.exposeString("workflowId", {
      nullable: true,
      description: "The event's workflow. Null if the event concerns no single workflow.",
    }),
    artifactId: t.exposeString("artifactId", {
      nullable: true,
      description: "The event's artifact. Null if the event concerns no single artifact.",
    }),
    artifact: t.field({
      type: ArtifactType,
      nullable: true,
      description:
        "The artifact in its current state, not as of the event. Null if it no longer exists or the event concerns no artifact. Also null for ARTIFACT_READ: otherwise a client that follows events and reads each artifact would cause new events without end.",
      resolve: ({ type, tenantId, workflowId, artifactId }, _args, { reads }) =>
        type === "ARTIFACT_READ" || tenantId === null || workflowId === null || artifactId === null
          ? null
          : reads.loaders.artifact({ tenantId, workflowId, artifactId }),
    }),
    fromTier: t.expose("fromTier", {
      type: TierType,
      nullable: true,
      description: "The tier before the change.",
    }),
    toTier: t.expose("toTier", { type: TierType, nullable: true, description: "The tier after the change." }),
    ageDays: t.exposeFloat("ageDays", {
      nullable: true,
      description: "The artifact's age in days at the event.",
    }),
    sizeBytes: t.expose("sizeBytes", {
      type: "SafeInt",
      nullable: true,
      description: "Size of the artifact's content in bytes at the event.",
    }),
    checksum: t.exposeString("checksum", {
      nullable: true,
      description: "SHA-256 of the artifact's content at the event, in 64 lower-case hexadecimal digits.",
    }),
    dryRun: t.exposeBoolean("dryRun", {
      description: "True if the event is of a dry run: nothing was changed.",
    }),
    jobId: t.id({
      nullable: true,
      description: "Global id of the job that caused the event. Null if there is none.",
      resolve: ({ jobId }) => jobId && jobGlobalId(jobId),
    }),
    job: t.field({
      type: JobType,
      nullable: true,
      description:
        "The job that this event starts or finishes, in its current state. Null for events of single artifacts, and for events without a job.",
      resolve: ({ jobId, artifactId }, _args, { reads }) =>
        jobId === null || artifactId !== null ? null : reads.loaders.job(jobId),
    }),
    errorCode: t.expose("errorCode", {
      type: ErrorCodeType,
      nullable: true,
      description: "Code of the failure. Null if nothing failed.",
    }),
    error: t.exposeString("error", {
      nullable: true,
      description: "The failure, or other details of the event, as a sentence. Null if there are none.",
    }),
  }),
});
