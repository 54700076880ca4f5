import { createHash, randomBytes } from "node:crypto";
import { isHeld } from "@tierkeep/schema/domain/holds";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { LifecycleJob, RestoreJob, VerifyJob } from "@tierkeep/schema/services/jobs";
import type { MoveChange, PurgeChange, WriteChange } from "../../src/catalog/artifact-changes.ts";
import type { Catalog, PageWindow } from "../../src/catalog/catalog.ts";
import type {
  FinishJobChange,
  JobCounts,
  RunBatchChange,
  StartJobChange,
} from "../../src/catalog/job-changes.ts";
import { type PlannedItem, type PlanStep, planBlockOf } from "../../src/catalog/plan-blocks.ts";
import type { ArtifactRow } from "../../src/catalog/rows.ts";
import type { EventChange } from "../../src/catalog/upkeep-changes.ts";

/** The time of sample changes, ms since the epoch. */
export const NOW = Date.UTC(2026, 0, 1);

export const newObject = () => randomBytes(16).toString("hex");

export const checksumOf = (text: string) => createHash("sha256").update(text).digest("hex");

/** Returns a key from "tenant/workflow/artifact". */
export function key(path: string): ArtifactKey {
  const [tenantId = "", workflowId = "", ...segments] = path.split("/");
  return { tenantId, workflowId, artifactId: segments.join("/") };
}

export const path = ({ tenantId, workflowId, artifactId }: ArtifactKey) =>
  `${tenantId}/${workflowId}/${artifactId}`;

/** Returns a write with inline content. */
export function write(
  to: string,
  given: Partial<WriteChange> & { readonly text?: string } = {},
): WriteChange {
  const { text = `content of ${to}`, ...rest } = given;
  const bytes = new TextEncoder().encode(text);
  return {
    kind: "write",
    key: key(to),
    tier: "HOT",
    object: newObject(),
    store: "files",
    bytes,
    owner: "this process",
    sizeBytes: bytes.length,
    checksum: checksumOf(text),
    contentType: "text/plain",
    metadata: {},
    ifAbsent: false,
    ifChecksum: null,
    at: NOW,
    actor: "ann",
    ...rest,
  };
}

/** All tiers in one store. */
export const IN_FILES = { HOT: "files", WARM: "files", COLD: "files" } as const;

export function move(of: string, toTier: Tier, given: Partial<MoveChange> = {}): MoveChange {
  const base = { kind: "move", as: "promote", fromTier: null, ifChecksum: null, dryRun: false } as const;
  return { ...base, storeIds: IN_FILES, key: key(of), toTier, at: NOW, actor: "ann", ...given };
}

export function purge(of: string, given: Partial<PurgeChange> = {}): PurgeChange {
  const base = { kind: "purge", fromTier: null, ifChecksum: null, dryRun: false } as const;
  return { ...base, key: key(of), at: NOW, actor: "ann", ...given };
}

/** Returns a change that only writes an event: the finding of a scan. */
export function scanEvent(given: Partial<EventChange["event"]> = {}): EventChange {
  const event: EventChange["event"] = {
    timestamp: NOW,
    type: "SCAN_ERROR",
    actor: "system",
    tenantId: "acme",
    workflowId: null,
    artifactId: null,
    fromTier: null,
    toTier: null,
    ageDays: null,
    sizeBytes: null,
    checksum: null,
    dryRun: false,
    jobId: null,
    errorCode: null,
    error: null,
    ...given,
  };
  return { kind: "event", event };
}

export function lifecycleJob(given: Partial<LifecycleJob> = {}): LifecycleJob {
  return {
    kind: "lifecycle",
    id: newObject(),
    status: "RUNNING",
    dryRun: false,
    startedAt: NOW,
    finishedAt: null,
    durationSeconds: null,
    progress: 0,
    totalErrors: 0,
    error: null,
    tenantId: null,
    asOf: NOW,
    steps: ["PROMOTE_TO_WARM", "PROMOTE_TO_COLD", "PURGE"],
    promotedToWarm: 0,
    promotedToCold: 0,
    purged: 0,
    retentionPolicy: { hotDays: 7, warmDays: 30, coldDays: 90 },
    ...given,
  };
}

export function restoreJob(given: Partial<RestoreJob> = {}): RestoreJob {
  return {
    kind: "restore",
    id: newObject(),
    status: "RUNNING",
    dryRun: false,
    startedAt: NOW,
    finishedAt: null,
    durationSeconds: null,
    progress: 0,
    totalErrors: 0,
    error: null,
    tenantId: "acme",
    tenantIds: ["acme"],
    toTier: "HOT",
    restoredCount: 0,
    skippedCount: 0,
    ...given,
  };
}

export function verifyJob(given: Partial<VerifyJob> = {}): VerifyJob {
  const { asOf, steps, retentionPolicy, promotedToWarm, promotedToCold, purged, ...facts } = lifecycleJob();
  return {
    ...facts,
    kind: "verify",
    repair: true,
    checkedCount: 0,
    checkedBytes: 0,
    damagedCount: 0,
    missingCount: 0,
    strayCount: 0,
    healedCount: 0,
    quarantinedCount: 0,
    adoptedCount: 0,
    ...given,
  };
}

export function startJob(job: StartJobChange["job"], given: Partial<StartJobChange> = {}): StartJobChange {
  return {
    kind: "startJob",
    job,
    input: null,
    expected: null,
    at: job.startedAt,
    actor: "schedule",
    ...given,
  };
}

/** Its successful end, 1 ms after NOW. */
export function finish(jobId: string, given: Partial<FinishJobChange> = {}): FinishJobChange {
  const base = {
    kind: "finishJob",
    status: "SUCCEEDED",
    errorCode: null,
    error: null,
    durationSeconds: 2.5,
  } as const;
  return { ...base, jobId, at: NOW + 1, actor: "schedule", ...given };
}

/** Returns an artifact as a plan that is made now has it. */
export function plannedItem(row: ArtifactRow): PlannedItem {
  const { version, ageSince, sizeBytes } = row;
  return { ...key(path(row)), planned: { version, ageSince, sizeBytes, held: isHeld(row.metadata) } };
}

/** Returns items that a restore takes as they are. */
export const restoredItems = (...paths: readonly string[]): readonly PlannedItem[] =>
  paths.map((of) => ({ ...key(of), planned: null }));

/** Stores and seals a plan of a job: one block for each of these. */
export async function plan(
  catalog: Catalog,
  jobId: string,
  blocks: readonly (readonly [PlanStep, readonly PlannedItem[]])[],
  counts: JobCounts = {},
): Promise<void> {
  for (const [index, [step, items]] of blocks.entries())
    await catalog.commit({ kind: "storePlan", jobId, n: index + 1, block: planBlockOf(step, items) });
  const items = blocks.reduce((sum, [, some]) => sum + some.length, 0);
  const totals = { blocks: blocks.length, items, counts, ending: null, durationSeconds: 1 };
  await catalog.commit({ kind: "sealPlan", jobId, ...totals });
}

/** Returns a batch with the first items of block 1. */
export function batch(
  { id, startedAt }: LifecycleJob | RestoreJob,
  step: PlanStep,
  items: readonly PlannedItem[],
  given: Partial<RunBatchChange> = {},
): RunBatchChange {
  const policy = { hotDays: 7, warmDays: 30, coldDays: 90 };
  const base = { kind: "runBatch", n: 1, from: 0, failed: {}, durationSeconds: 1 } as const;
  return {
    ...base,
    storeIds: IN_FILES,
    jobId: id,
    step,
    items,
    policy,
    at: startedAt,
    actor: "schedule",
    ...given,
  };
}

/** Returns a batch that takes the step that follows for one artifact. */
export function step(
  job: LifecycleJob,
  row: ArtifactRow,
  given: Partial<RunBatchChange> = {},
): RunBatchChange {
  const steps = { HOT: "PROMOTE_TO_WARM", WARM: "PROMOTE_TO_COLD", COLD: "PURGE" } as const;
  return batch(job, steps[row.tier], [plannedItem(row)], { policy: job.retentionPolicy, ...given });
}

export function whole<Position>(limit = 1_000): PageWindow<Position> {
  return { after: null, before: null, limit, backward: false };
}

export async function all(catalog: Catalog): Promise<readonly ArtifactRow[]> {
  return catalog.listArtifacts({}, { field: "KEY", direction: "ASC" }, whole(100_000));
}

export async function eventTypes(catalog: Catalog): Promise<readonly string[]> {
  return (await catalog.listEvents({}, "ASC", whole())).map(({ type }) => type);
}

/** Commits a write whose content is in an object that its owner staged. */
export async function writeStaged(catalog: Catalog, change: WriteChange) {
  const { object, store, owner, at } = change;
  await catalog.commit({ kind: "stage", object, store, owner, at });
  return catalog.commit({ ...change, bytes: null });
}
