import DataLoader from "dataloader";
import { type ArtifactKey, keyText } from "../../domain/keys.ts";
import type { RetentionPolicy } from "../../domain/policy.ts";
import type { Principal } from "../../domain/principal.ts";
import type { Artifact } from "../../services/artifacts.ts";
import type { LoggedEvent } from "../../services/events.ts";
import type { Job } from "../../services/jobs.ts";
import type { Services } from "../../services/services.ts";
import type { TierCount, WorkflowName } from "../../services/tenants.ts";

/** Loader key of the default policy. It cannot be a tenant's key, because no tenant name is empty. */
const DEFAULT_POLICY = "";

/** Maximum number of artifacts in one batch: each may have 64 KiB of metadata. */
const MAX_ARTIFACTS = 250;

/**
 * Batched and cached reads of one request. Each service is called once per level of the query, however many
 * rows a page has. A loader is created at its first use, because most requests use none or one.
 */
export class Loaders {
  readonly #services: Services;
  readonly #principal: Principal;
  readonly #inTurn: <T>(read: () => Promise<T>) => Promise<T>;
  #artifacts: DataLoader<ArtifactKey, Artifact | null, string> | undefined;
  #contents: DataLoader<Artifact, Uint8Array | null, number> | undefined;
  #tenantsExist: DataLoader<string, boolean> | undefined;
  #workflowsExist: DataLoader<WorkflowName, boolean, string> | undefined;
  #tierCountsOfTenants: DataLoader<string, readonly TierCount[]> | undefined;
  #tierCountsOfWorkflows: DataLoader<WorkflowName, readonly TierCount[], string> | undefined;
  #retentionPolicies: DataLoader<string, RetentionPolicy> | undefined;
  #events: DataLoader<string, LoggedEvent | null> | undefined;
  #jobs: DataLoader<string, Job | null> | undefined;

  /** @param inTurn runs a read once the rows of earlier reads count towards the size of the response */
  constructor(
    services: Services,
    principal: Principal,
    inTurn: <T>(read: () => Promise<T>) => Promise<T> = (read) => read(),
  ) {
    this.#services = services;
    this.#principal = principal;
    this.#inTurn = inTurn;
  }

  artifact(key: ArtifactKey): Promise<Artifact | null> {
    this.#artifacts ??= new DataLoader(
      (keys) => this.#inTurn(() => this.#services.artifacts.getMany(this.#principal, keys)),
      { cacheKeyFn: keyText, maxBatchSize: MAX_ARTIFACTS },
    );
    return this.#artifacts.load(key);
  }

  /**
   * Returns the content of exactly this version; null if it was replaced or purged since. Reads it once per
   * request.
   */
  content(artifact: Artifact): Promise<Uint8Array | null> {
    this.#contents ??= new DataLoader(
      (artifacts) =>
        Promise.all(artifacts.map((one) => orError(this.#services.artifacts.bytes(this.#principal, one)))),
      { cacheKeyFn: ({ version }) => version },
    );
    return this.#contents.load(artifact);
  }

  tenantExists(tenantId: string): Promise<boolean> {
    this.#tenantsExist ??= new DataLoader((tenantIds) =>
      this.#services.tenants.exist(this.#principal, tenantIds),
    );
    return this.#tenantsExist.load(tenantId);
  }

  workflowExists(workflow: WorkflowName): Promise<boolean> {
    this.#workflowsExist ??= new DataLoader(
      (workflows) => this.#services.tenants.workflowsExist(this.#principal, workflows),
      { cacheKeyFn: workflowKey },
    );
    return this.#workflowsExist.load(workflow);
  }

  tierCountsOfTenant(tenantId: string): Promise<readonly TierCount[]> {
    this.#tierCountsOfTenants ??= new DataLoader((tenantIds) =>
      this.#services.tenants.tierCountsOfTenants(this.#principal, tenantIds),
    );
    return this.#tierCountsOfTenants.load(tenantId);
  }

  tierCountsOfWorkflow(workflow: WorkflowName): Promise<readonly TierCount[]> {
    this.#tierCountsOfWorkflows ??= new DataLoader(
      (workflows) => this.#services.tenants.tierCountsOfWorkflows(this.#principal, workflows),
      { cacheKeyFn: workflowKey },
    );
    return this.#tierCountsOfWorkflows.load(workflow);
  }

  /** Returns the tenant's retention policy, or the default policy if `tenantId` is null. */
  retentionPolicy(tenantId: string | null): Promise<RetentionPolicy> {
    this.#retentionPolicies ??= new DataLoader((keys) =>
      this.#services.tenants.retentionPolicies(
        this.#principal,
        keys.map((key) => (key === DEFAULT_POLICY ? null : key)),
      ),
    );
    return this.#retentionPolicies.load(tenantId ?? DEFAULT_POLICY);
  }

  event(cursor: string): Promise<LoggedEvent | null> {
    this.#events ??= new DataLoader((cursors) => this.#services.events.getMany(this.#principal, cursors));
    return this.#events.load(cursor);
  }

  job(jobId: string): Promise<Job | null> {
    this.#jobs ??= new DataLoader((jobIds) => this.#services.jobs.getMany(this.#principal, jobIds));
    return this.#jobs.load(jobId);
  }
}

// Ids of tenants and workflows cannot contain a slash.
function workflowKey({ tenantId, workflowId }: WorkflowName): string {
  return `${tenantId}/${workflowId}`;
}

/** Returns an error as a value, so that it fails one key of a batch and not the others. */
async function orError<T>(value: Promise<T>): Promise<T | Error> {
  try {
    return await value;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
