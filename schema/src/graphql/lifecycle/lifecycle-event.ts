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
  description: "What an event tells of.",
  values: described<LifecycleEventType>({
    ARTIFACT_WRITTEN: "Somebody wrote or replaced an artifact.",
    ARTIFACT_PROMOTED: "Somebody moved an artifact to another tier.",
    ARTIFACT_RESTORED: "Somebody brought an artifact back to a hotter tier, alone or with many.",
    ARTIFACT_PURGED: "Somebody deleted an artifact.",
    ARTIFACT_ADOPTED: "A reindex took an artifact up that it found in the published tree.",
    PROMOTED_TO_WARM: "A lifecycle run moved an artifact from HOT to WARM.",
    PROMOTED_TO_COLD: "A lifecycle run moved an artifact from WARM to COLD.",
    PURGED_FROM_COLD: "A lifecycle run deleted an artifact from COLD.",
    PROMOTION_ERROR: "An artifact could not be moved.",
    PURGE_ERROR: "An artifact could not be deleted.",
    RESTORE_ERROR: "An artifact could not be brought back.",
    SCAN_ERROR:
      "An artifact could not be read, or is not what was written; or something stands in the store that belongs to no artifact, or is not where it should be; or something was counted wrongly. Once for each.",
    LIFECYCLE_JOB_STARTED: "A job began.",
    LIFECYCLE_JOB_COMPLETED: "A job ended, in whichever way: its status says how.",
    LIFECYCLE_STEP_FAILED: "A step of a lifecycle run could not be taken as a whole.",
    REINDEX_CONFIRMED: "Somebody confirmed what a reindex has found, so that purging is allowed again.",
    ARTIFACT_READ:
      "Somebody was given an artifact's content, or part of it. Only where the server logs reads.",
    ARTIFACT_HEALED: "A repair found the bytes of an artifact again whose own were damaged or gone.",
    STRAY_QUARANTINED: "A repair moved bytes out of the way that belong to no artifact.",
    API_KEY_CREATED: "Somebody made an API key: `error` says which, and what it may.",
    API_KEY_REVOKED: "Somebody revoked an API key: `error` says which.",
    COUNTERS_RECOUNTED:
      "A repair counted anew what a tenant, a workflow or, with neither, the whole store holds: `error` says what was wrong.",
    SETTING_CHANGED: "A setting of the store changed: `error` names it with its old and its new value.",
    RETENTION_CONFIRMED:
      "An operator confirmed a shortened retention, so that purges use it at once: `error` names the values.",
    QUARANTINE_EMPTIED: "An administrator deleted a file from quarantine: `error` names it.",
  }),
});

export const LifecycleEventRef = builder.objectRef<LoggedEvent>("LifecycleEvent");

export const LifecycleEventConnection = builder.connectionObject(
  { type: LifecycleEventRef, name: "LifecycleEventConnection" },
  { description: "One event of a list. Its cursor is the event's own." },
);

LifecycleEventRef.implement({
  description:
    "One entry of the event log, written in the same commit as the change it tells of. It never changes, and outlives its artifact.",
  interfaces: [builder.nodeInterfaceRef()],
  fields: (t) => ({
    id: t.id({ description: "Opaque global id.", resolve: ({ cursor }) => lifecycleEventGlobalId(cursor) }),
    cursor: t.exposeString("cursor", {
      description:
        "Its place in the log. As `after` it resumes from here, in the query lifecycleEvents with direction ASC and in the subscription of that name.",
    }),
    timestamp: t.expose("timestamp", { type: "DateTime", description: "When it happened." }),
    type: t.expose("type", { type: LifecycleEventTypeEnum, description: "What happened." }),
    actor: t.exposeString("actor", {
      nullable: true,
      description: "Who did it: a caller's name, `schedule` for runs that the schedule started, or `system`.",
    }),
    tenantId: t.exposeString("tenantId", {
      nullable: true,
      description: "The tenant concerned. Null: a job over all tenants.",
    }),
    workflowId: t.exposeString("workflowId", {
      nullable: true,
      description: "The workflow concerned. Null: a whole job.",
    }),
    artifactId: t.exposeString("artifactId", {
      nullable: true,
      description: "The artifact concerned. Null: a whole job.",
    }),
    artifact: t.field({
      type: ArtifactType,
      nullable: true,
      description:
        "The artifact as it is now, not as it was then. Null: it is gone, the event is of a whole job, or its type is ARTIFACT_READ: a client that follows events and reads each artifact would otherwise cause an event with every event.",
      resolve: ({ type, tenantId, workflowId, artifactId }, _args, { reads }) =>
        type === "ARTIFACT_READ" || tenantId === null || workflowId === null || artifactId === null
          ? null
          : reads.loaders.artifact({ tenantId, workflowId, artifactId }),
    }),
    fromTier: t.expose("fromTier", { type: TierType, nullable: true, description: "The tier it was in." }),
    toTier: t.expose("toTier", { type: TierType, nullable: true, description: "The tier it went to." }),
    ageDays: t.exposeFloat("ageDays", { nullable: true, description: "Its age in days then." }),
    sizeBytes: t.expose("sizeBytes", {
      type: "SafeInt",
      nullable: true,
      description: "Size of its content in bytes then.",
    }),
    checksum: t.exposeString("checksum", {
      nullable: true,
      description: "SHA-256 of its content then, in lower-case hexadecimal.",
    }),
    dryRun: t.exposeBoolean("dryRun", {
      description: "True: it was only tried out, and nothing was changed.",
    }),
    jobId: t.id({
      nullable: true,
      description: "Global id of the job that it belongs to. Null: none.",
      resolve: ({ jobId }) => jobId && jobGlobalId(jobId),
    }),
    job: t.field({
      type: JobType,
      nullable: true,
      description:
        "The job that starts or ends with this event, as it is now. Null: the event is of an artifact, or of no job.",
      resolve: ({ jobId, artifactId }, _args, { reads }) =>
        jobId === null || artifactId !== null ? null : reads.loaders.job(jobId),
    }),
    errorCode: t.expose("errorCode", {
      type: ErrorCodeType,
      nullable: true,
      description: "What went wrong. Null: nothing.",
    }),
    error: t.exposeString("error", {
      nullable: true,
      description: "What went wrong, or what else there is to say, as a sentence. Null: nothing.",
    }),
  }),
});
