// The public API of the package.
import type { FolderQuery } from "./generated/types.ts";

export type { Fetch, Token } from "./caller.ts";
export { createTierkeep, type Tierkeep, type TierkeepOptions } from "./client.ts";
export type { RequestOptions, Send, TypedDocument } from "./document.ts";
export type { Download, DownloadOptions, DownloadProgress } from "./download.ts";
export { type ArtifactKey, endpointOf } from "./endpoint.ts";
export {
  AbortError,
  ConnectionError,
  type RefusalClass,
  type RefusalFacts,
  type RefusalOf,
  TierkeepError,
  TimeoutError,
} from "./errors.ts";
export type { EventState, EventTransport, FollowOptions } from "./event-connections.ts";
export type { EventStream } from "./events.ts";
export * from "./generated/documents.ts";
export type * from "./generated/enums.ts";
export * from "./generated/errors.ts";
export type { TierkeepMethods } from "./generated/methods.ts";
export type * from "./generated/types.ts";
export type {
  ApiKeyFragment as ApiKey,
  ArtifactFragment as Artifact,
  EventJobFragment as EventJob,
  JobFragment as Job,
  LifecycleEventFragment as LifecycleEvent,
  LifecycleItemFragment as LifecycleItem,
  LifecycleJobFragment as LifecycleJob,
  PageInfoFragment as PageInfo,
  ReindexJobFragment as ReindexJob,
  RestoreJobFragment as RestoreJob,
  RetentionPolicyFragment as RetentionPolicy,
  ServerFragment as Server,
  StoreFindingFragment as StoreFinding,
  TenantFragment as Tenant,
  TierStatsFragment as TierStats,
  VerifyJobFragment as VerifyJob,
  WorkflowFragment as Workflow,
} from "./generated/types.ts";
/** A folder or an artifact one level below another folder; `__typename` tells which. */
export type FolderEntry = NonNullable<
  NonNullable<FolderQuery["tenant"]>["workflow"]
>["folder"]["nodes"][number];
export type { FinishedOptions, Finishing, WithJobs } from "./jobs.ts";
export type { List, Page } from "./list.ts";
export type { Uploaded, UploadedArtifact, UploadOptions } from "./upload.ts";
export type { ContentSource, UploadContent, UploadProgress } from "./upload-body.ts";
