import type { Principal } from "@tierkeep/schema/domain/principal";
import { Refused } from "@tierkeep/schema/domain/refusals";
import {
  requireRight,
  requireRightOverAll,
  requireRightWithin,
  seesTenants,
} from "@tierkeep/schema/domain/rights";
import type { Job, JobService } from "@tierkeep/schema/services/jobs";
import { emptyPage, narrowed, type Rules } from "./rule.ts";

/** An id that no job has. It replaces the id of a job that the principal may not see. */
const NO_JOB = "";

/**
 * A principal may see a job if it may see everything that the job may change. Only the job itself names its
 * tenants, so it is looked up first; its id is random and cannot be guessed.
 */
export function jobRules(jobs: JobService): Rules<JobService> {
  async function sees(principal: Principal, jobId: string): Promise<boolean> {
    if (principal.tenants === null) return true;
    const [job] = await jobs.getMany(principal, [jobId]);
    return job !== undefined && job !== null && seesTenants(principal, touchedBy(job));
  }

  /** Removes the id of a conflicting job from a refusal, unless the principal may see that job. */
  async function withoutForeignJob(principal: Principal, error: unknown): Promise<unknown> {
    if (!(error instanceof Refused) || error.facts.jobId === undefined) return error;
    if (await sees(principal, error.facts.jobId)) return error;
    const { jobId: _jobId, ...facts } = error.facts;
    return new Refused(error.code, error.message, facts, { cause: error });
  }

  return {
    runLifecycle: async (principal, proceed, options) => {
      requireRightFor(principal, "runLifecycle", options.tenantId);
      try {
        return await proceed(options);
      } catch (error) {
        throw await withoutForeignJob(principal, error);
      }
    },
    restoreArtifacts: (principal, proceed, options) => {
      requireRight(principal, "restore");
      for (const [index, { tenantId }] of (options.keys ?? []).entries())
        requireRightWithin(principal, "restore", tenantId, `keys.${index}.tenantId`);
      if (options.where?.tenantId !== undefined)
        requireRightWithin(principal, "restore", options.where.tenantId, "where.tenantId");
      return proceed(options);
    },
    cancel: async (principal, proceed, jobId, ...rest) => {
      requireRight(principal, "cancelJob");
      return proceed((await sees(principal, jobId)) ? jobId : NO_JOB, ...rest);
    },
    getMany: async (principal, proceed, jobIds) =>
      (await proceed(jobIds)).map((job) =>
        job !== null && seesTenants(principal, touchedBy(job)) ? job : null,
      ),
    list: narrowed,
    listLifecycle: narrowed,
    last: narrowed,
    items: async (principal, proceed, jobId, page) =>
      (await sees(principal, jobId)) ? proceed(jobId, page) : emptyPage(),
    reindex: (principal, proceed, options) => {
      requireRight(principal, "reindex");
      return proceed(options);
    },
    confirmReindex: (principal, proceed, ...args) => {
      requireRight(principal, "confirmReindex");
      return proceed(...args);
    },
    verify: async (principal, proceed, options) => {
      requireRightFor(principal, "verify", options.tenantId);
      try {
        return await proceed(options);
      } catch (error) {
        throw await withoutForeignJob(principal, error);
      }
    },
    findings: async (principal, proceed, jobId, page) =>
      (await sees(principal, jobId)) ? proceed(jobId, page) : emptyPage(),
  };
}

/** Returns the tenants whose artifacts the job may change; null: all. */
function touchedBy(job: Job): readonly string[] | null {
  if (job.kind === "restore") return job.tenantIds;
  return job.tenantId === null ? null : [job.tenantId];
}

/** Requires the right for one tenant, or for all tenants if none is given. */
function requireRightFor(
  principal: Principal,
  right: "runLifecycle" | "verify",
  tenantId: string | undefined,
): void {
  if (tenantId === undefined) requireRightOverAll(principal, right, "tenantId");
  else requireRightWithin(principal, right, tenantId, "tenantId");
}
