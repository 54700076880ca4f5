import { isSameKey } from "../../domain/keys.ts";
import type { Page, PageRequest } from "../../domain/pages.ts";
import type { Artifact, ArtifactService, FolderEntry } from "../../services/artifacts.ts";
import type { EventService, LoggedEvent } from "../../services/events.ts";
import type {
  Job,
  JobService,
  LifecycleJob,
  ReindexJob,
  RestoreJob,
  VerifyJob,
} from "../../services/jobs.ts";
import type { ApiKey, KeyService } from "../../services/keys.ts";
import type { QuarantineService } from "../../services/quarantine.ts";
import type { Services } from "../../services/services.ts";
import type { TenantService, TierCount } from "../../services/tenants.ts";
import type { UrlService } from "../../services/urls.ts";

/** The clock of every fake. */
export const FAKE_NOW = Date.parse("2026-11-24T12:00:00.000Z");

export interface Call {
  /** E.g. "artifacts.getMany". */
  readonly method: string;
  /** Without the principal. */
  readonly args: readonly unknown[];
}

export interface FakeServices extends Services {
  /** Every call of a service, in order. */
  readonly calls: Call[];
}

interface Stored {
  readonly artifacts?: readonly Artifact[];
  readonly events?: readonly LoggedEvent[];
  readonly jobs?: readonly Job[];
  /** Methods that replace the fakes. */
  readonly overrides?: {
    readonly artifacts?: Partial<ArtifactService>;
    readonly tenants?: Partial<TenantService>;
    readonly events?: Partial<EventService>;
    readonly jobs?: Partial<JobService>;
    readonly keys?: Partial<KeyService>;
    readonly quarantine?: Partial<QuarantineService>;
    readonly urls?: Partial<UrlService>;
  };
}

/**
 * Returns services over a few rows in memory, for tests of the schema alone. They do not filter or check.
 */
export function fakeServices({
  artifacts = [],
  events = [],
  jobs = [],
  overrides = {},
}: Stored = {}): FakeServices {
  const calls: Call[] = [];
  const tenants = [...new Set(artifacts.map(({ tenantId }) => tenantId))];
  const find = (key: { tenantId: string; workflowId: string; artifactId: string }) =>
    artifacts.find((one) => isSameKey(one, key)) ?? null;

  const artifactService: ArtifactService = {
    get: async (_principal, key) => find(key),
    getMany: async (_principal, keys) => keys.map(find),
    list: async (_principal, _filter, _order, page) => pageOf(artifacts, page),
    listFolder: async (_principal, _workflow, prefix, page) =>
      pageOf<FolderEntry>([{ name: "plots", prefix: `${prefix}plots/` }, ...artifacts], page),
    write: async (_principal, { tenantId, workflowId, artifactId }) => ({
      artifact: anArtifact({ tenantId, workflowId, artifactId }),
      created: true,
    }),
    promote: async (_principal, options) => ({
      artifact: anArtifact({ artifactId: options.artifactId, tier: options.toTier }),
      fromTier: "HOT",
      toTier: options.toTier,
    }),
    restore: async (_principal, options) => ({
      artifact: anArtifact({ artifactId: options.artifactId, tier: options.toTier }),
      fromTier: "COLD",
      toTier: options.toTier,
    }),
    purge: async (_principal, { tenantId, workflowId, artifactId }) => ({
      tenantId,
      workflowId,
      artifactId,
      fromTier: "HOT",
      sizeBytes: 5,
    }),
    open: async () => null,
    bytes: async (_principal, artifact) => new Uint8Array(artifact.sizeBytes).fill(0x61),
  };
  const tenantService: TenantService = {
    exist: async (_principal, names) => names.map((name) => tenants.includes(name)),
    workflowsExist: async (_principal, names) =>
      names.map((name) =>
        artifacts.some((one) => one.tenantId === name.tenantId && one.workflowId === name.workflowId),
      ),
    list: async (_principal, page) => pageOf(tenants, page),
    listWorkflows: async (_principal, tenantId, page) => pageOf([{ tenantId, workflowId: "wf" }], page),
    tierCounts: async () => tierCounts(artifacts),
    tierCountsOfTenants: async (_principal, names) =>
      names.map((name) => tierCounts(artifacts.filter((one) => one.tenantId === name))),
    tierCountsOfWorkflows: async (_principal, names) =>
      names.map((name) => tierCounts(artifacts.filter((one) => one.workflowId === name.workflowId))),
    retentionPolicies: async (_principal, names) =>
      names.map(() => ({ hotDays: 7, warmDays: 30, coldDays: null })),
  };
  const eventService: EventService = {
    list: async (_principal, _filter, _direction, page) => pageOf(events, page),
    getMany: async (_principal, cursors) =>
      cursors.map((cursor) => events.find((one) => one.cursor === cursor) ?? null),
    cursor: async () => events.at(-1)?.cursor ?? "start",
    follow: async () =>
      (async function* () {
        yield* events;
      })(),
  };
  const jobService: JobService = {
    runLifecycle: async () => ({ job: aLifecycleJob(), started: true }),
    restoreArtifacts: async () => aRestoreJob(),
    cancel: async (_principal, id) => aLifecycleJob({ id, status: "CANCELLED" }),
    getMany: async (_principal, ids) => ids.map((id) => jobs.find((one) => one.id === id) ?? null),
    list: async (_principal, _filter, page) => pageOf<Job>(jobs, page),
    listLifecycle: async (_principal, page) => pageOf([aLifecycleJob()], page),
    last: async () => null,
    items: async (_principal, _jobId, page) => pageOf([], page),
    reindex: async (_principal, { dryRun }) => aReindexJob({ dryRun }),
    confirmReindex: async (_principal, id) => aReindexJob({ id, confirmedAt: FAKE_NOW }),
    verify: async (_principal, { tenantId }) => aVerifyJob({ tenantId: tenantId ?? null }),
    findings: async (_principal, _jobId, page) => pageOf([], page),
  };
  const keyService: KeyService = {
    create: async (_principal, { role, tenantIds }) => ({
      apiKey: anApiKey({ role, tenants: tenantIds }),
      secret: "tk_secret",
    }),
    list: async (_principal, page) => pageOf([anApiKey()], page),
    revoke: async (_principal, keyId) => anApiKey({ keyId, revokedAt: FAKE_NOW }),
  };
  const quarantineService: QuarantineService = {
    list: async () => ({ count: 0, totalBytes: 0, files: [] }),
    empty: async () => ({ count: 0, totalBytes: 0, files: [] }),
  };
  const signed = { url: "/artifacts/t/w/a?signed=s", expiresAt: FAKE_NOW };
  const urlService: UrlService = { download: async () => signed, upload: async () => signed };
  return {
    calls,
    artifacts: recorded("artifacts", { ...artifactService, ...overrides.artifacts }, calls),
    tenants: recorded("tenants", { ...tenantService, ...overrides.tenants }, calls),
    events: recorded("events", { ...eventService, ...overrides.events }, calls),
    jobs: recorded("jobs", { ...jobService, ...overrides.jobs }, calls),
    keys: recorded("keys", { ...keyService, ...overrides.keys }, calls),
    quarantine: recorded("quarantine", { ...quarantineService, ...overrides.quarantine }, calls),
    urls: recorded("urls", { ...urlService, ...overrides.urls }, calls),
    basePath: "",
    limits: { maxInlineBytes: 1024 * 1024, maxArtifactBytes: null },
    server: { version: "1.2.3", authentication: true, schedule: null, nextRunAt: () => null, graphiql: true },
    now: () => FAKE_NOW,
  };
}

export function anArtifact(facts: Partial<Artifact> = {}): Artifact {
  return {
    tenantId: "acme",
    workflowId: "wf",
    artifactId: "a.txt",
    tier: "HOT",
    sizeBytes: 5,
    checksum: "0".repeat(64),
    contentType: "text/plain",
    metadata: {},
    createdAt: FAKE_NOW,
    modifiedAt: FAKE_NOW,
    promotedAt: null,
    promotedFrom: null,
    ageSince: FAKE_NOW,
    damagedAt: null,
    version: 1,
    ...facts,
  };
}

export function anEvent(facts: Partial<LoggedEvent> = {}): LoggedEvent {
  return {
    seq: 1,
    cursor: "cursor-1",
    timestamp: FAKE_NOW,
    type: "ARTIFACT_WRITTEN",
    actor: "local",
    tenantId: "acme",
    workflowId: "wf",
    artifactId: "a.txt",
    fromTier: null,
    toTier: "HOT",
    ageDays: null,
    sizeBytes: 5,
    checksum: null,
    dryRun: false,
    jobId: null,
    errorCode: null,
    error: null,
    ...facts,
  };
}

export function aLifecycleJob(facts: Partial<LifecycleJob> = {}): LifecycleJob {
  return {
    ...jobFacts("lifecycle-1"),
    kind: "lifecycle",
    asOf: FAKE_NOW,
    steps: ["PURGE"],
    promotedToWarm: 0,
    promotedToCold: 0,
    purged: 0,
    retentionPolicy: { hotDays: 7, warmDays: 30, coldDays: 90 },
    ...facts,
  };
}

export function aRestoreJob(facts: Partial<RestoreJob> = {}): RestoreJob {
  return {
    ...jobFacts("restore-1"),
    kind: "restore",
    tenantIds: null,
    toTier: "HOT",
    restoredCount: 0,
    skippedCount: 0,
    ...facts,
  };
}

export function aReindexJob(facts: Partial<ReindexJob> = {}): ReindexJob {
  return {
    ...jobFacts("reindex-1"),
    kind: "reindex",
    adoptedCount: 0,
    presentCount: 0,
    quarantinedCount: 0,
    leftCount: 0,
    confirmedAt: null,
    ...facts,
  };
}

export function aVerifyJob(facts: Partial<VerifyJob> = {}): VerifyJob {
  return {
    ...jobFacts("verify-1"),
    kind: "verify",
    repair: false,
    checkedCount: 0,
    checkedBytes: 0,
    damagedCount: 0,
    missingCount: 0,
    strayCount: 0,
    healedCount: 0,
    quarantinedCount: 0,
    adoptedCount: 0,
    ...facts,
  };
}

function jobFacts(id: string) {
  return {
    id,
    status: "SUCCEEDED",
    dryRun: false,
    startedAt: FAKE_NOW,
    finishedAt: FAKE_NOW,
    durationSeconds: 0.5,
    progress: 1,
    totalErrors: 0,
    error: null,
    tenantId: null,
  } as const;
}

function tierCounts(artifacts: readonly Artifact[]): TierCount[] {
  return (["HOT", "WARM", "COLD"] as const).map((tier) => {
    const inTier = artifacts.filter((one) => one.tier === tier);
    const totalBytes = inTier.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return {
      tier,
      artifactCount: inTier.length,
      totalBytes,
      tenantCount: new Set(inTier.map((one) => one.tenantId)).size,
    };
  });
}

function pageOf<T>(rows: readonly T[], { limit }: Pick<PageRequest, "limit">): Page<T> {
  const edges = rows.slice(0, limit).map((node, index) => ({ cursor: `row-${index}`, node }));
  return {
    edges,
    hasNextPage: rows.length > limit,
    hasPreviousPage: false,
    totalCount: async () => rows.length,
  };
}

function recorded<T extends object>(name: string, service: T, calls: Call[]): T {
  return new Proxy(service, {
    get(target, property, receiver) {
      const method = Reflect.get(target, property, receiver);
      if (typeof method !== "function") return method;
      return (principal: unknown, ...args: unknown[]) => {
        calls.push({ method: `${name}.${String(property)}`, args });
        return method.call(target, principal, ...args);
      };
    },
  });
}

function anApiKey(facts: Partial<ApiKey> = {}): ApiKey {
  return {
    keyId: "0123456789abcdef",
    name: null,
    role: "READER",
    tenants: null,
    createdAt: FAKE_NOW,
    createdBy: "ada",
    expiresAt: null,
    revokedAt: null,
    revokedBy: null,
    ...facts,
  };
}
