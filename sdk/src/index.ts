// What the package is to its users; nothing else of it is public.
export type { Fetch, Token } from "./caller.ts";
export { createTierkeep, type Tierkeep, type TierkeepOptions } from "./client.ts";
export type { Download, DownloadOptions } from "./download.ts";
export type { ArtifactKey } from "./endpoint.ts";
export { AbortError, ConnectionError, type RefusalFacts, TierkeepError, TimeoutError } from "./errors.ts";
export type { EventStream, EventTransport, FollowOptions } from "./events.ts";
export * from "./generated/documents.ts";
export type * from "./generated/enums.ts";
export * from "./generated/errors.ts";
export type { TierkeepMethods } from "./generated/methods.ts";
export type * from "./generated/types.ts";
export type {
  ArtifactFragment as Artifact,
  JobFragment as Job,
  LifecycleEventFragment as LifecycleEvent,
  LifecycleItemFragment as LifecycleItem,
  LifecycleJobFragment as LifecycleJob,
  PageInfoFragment as PageInfo,
  ReindexJobFragment as ReindexJob,
  RestoreJobFragment as RestoreJob,
  RetentionPolicyFragment as RetentionPolicy,
  StoreFindingFragment as StoreFinding,
  TenantFragment as Tenant,
  TierStatsFragment as TierStats,
  VerifyJobFragment as VerifyJob,
  WorkflowFragment as Workflow,
} from "./generated/types.ts";
export type { Operation, RequestOptions, Send } from "./operation.ts";
export type { UploadContent, Uploaded, UploadedArtifact, UploadOptions } from "./upload.ts";
