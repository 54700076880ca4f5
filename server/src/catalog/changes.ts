import type { RefusalRecord } from "@tierkeep/schema/domain/refusals";
import type { ApiKey } from "@tierkeep/schema/services/keys";
import type { CreateApiKeyChange, RevokeApiKeyChange } from "./api-key-changes.ts";
import type {
  DamageChange,
  MoveChange,
  MoveResult,
  PurgeChange,
  PurgeResult,
  RecoverChange,
  WriteChange,
  WriteResult,
} from "./artifact-changes.ts";
import type {
  AdoptBatchChange,
  AdoptResult,
  AdvanceJobChange,
  BlockPurgesChange,
  ConfirmReindexChange,
  FinishJobChange,
  RequestCancelChange,
  RunBatchChange,
  SealPlanChange,
  StartJobChange,
  StartJobResult,
  StorePlanChange,
} from "./job-changes.ts";
import type { ItemOutcome } from "./rows.ts";
import type { ChangeSettingsChange } from "./settings-changes.ts";
import type {
  AbandonChange,
  AbandonOrphanedChange,
  CollectedChange,
  EmptyQuarantineChange,
  EventChange,
  ExportedChange,
  PublishedChange,
  QuarantineChange,
  RecountChange,
  ReportChange,
  RepublishChange,
  ScrubbedChange,
  SettledChange,
  StageChange,
  StageFoundChange,
  SweepAnswersChange,
  SweepJobsChange,
} from "./upkeep-changes.ts";

export type Change =
  | StageChange
  | AbandonChange
  | AbandonOrphanedChange
  | WriteChange
  | MoveChange
  | PurgeChange
  | StorePlanChange
  | SealPlanChange
  | RunBatchChange
  | BlockPurgesChange
  | StageFoundChange
  | AdoptBatchChange
  | ConfirmReindexChange
  | SettledChange
  | PublishedChange
  | CollectedChange
  | DamageChange
  | RecoverChange
  | ReportChange
  | QuarantineChange
  | RecountChange
  | RepublishChange
  | ScrubbedChange
  | StartJobChange
  | AdvanceJobChange
  | RequestCancelChange
  | FinishJobChange
  | SweepJobsChange
  | SweepAnswersChange
  | CreateApiKeyChange
  | RevokeApiKeyChange
  | ChangeSettingsChange
  | EmptyQuarantineChange
  | EventChange
  | ExportedChange;

interface ResultByKind {
  stage: null;
  abandon: null;
  abandonOrphaned: number;
  write: WriteResult;
  move: MoveResult;
  purge: PurgeResult;
  storePlan: null;
  sealPlan: null;
  runBatch: readonly ItemOutcome[] | null;
  blockPurges: null;
  stageFound: boolean;
  adoptBatch: readonly AdoptResult[];
  confirmReindex: null;
  settled: null;
  published: null;
  collected: null;
  damage: null;
  recover: boolean;
  report: number;
  quarantine: null;
  recount: null;
  republish: null;
  scrubbed: null;
  startJob: StartJobResult;
  advanceJob: null;
  requestCancel: null;
  finishJob: null;
  sweepJobs: number;
  sweepAnswers: number;
  createApiKey: ApiKey;
  revokeApiKey: ApiKey;
  changeSettings: null;
  emptyQuarantine: EmptyQuarantineChange["result"];
  event: null;
  exported: null;
}

export type ResultOf<C extends Change> = ResultByKind[C["kind"]];

/**
 * The outcome of one change of a group: its result, or its refusal, in which case nothing of it was applied.
 */
export type Outcome<R = ResultByKind[Change["kind"]]> =
  | { readonly ok: true; readonly result: R }
  | { readonly ok: false; readonly refusal: RefusalRecord };
