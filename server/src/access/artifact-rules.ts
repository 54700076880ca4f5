import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Principal } from "@tierkeep/schema/domain/principal";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { type RightName, requireRightWithin, seesTenant } from "@tierkeep/schema/domain/rights";
import type { ArtifactService } from "@tierkeep/schema/services/artifacts";
import { emptyPage, narrowed, ofVisible, type Rules } from "./rule.ts";

/** Artifacts of other tenants are never looked up, so the response time does not show whether they exist. */
export const artifactRules: Rules<ArtifactService> = {
  get: async (principal, proceed, key) => (seesTenant(principal, key.tenantId) ? proceed(key) : null),
  getMany: (principal, proceed, keys) =>
    ofVisible(keys, ({ tenantId }) => seesTenant(principal, tenantId), proceed, null),
  list: narrowed,
  listFolder: async (principal, proceed, workflow, ...page) =>
    seesTenant(principal, workflow.tenantId) ? proceed(workflow, ...page) : emptyPage(),
  write: changing("write"),
  promote: changing("promote"),
  restore: changing("restore"),
  purge: async (principal, proceed, options) => {
    requireRightWithin(principal, "purge", options.tenantId, "tenantId");
    try {
      return await proceed(options);
    } catch (error) {
      throw withoutJob(principal, error);
    }
  },
  open: async (principal, proceed, key, ...how) =>
    seesTenant(principal, key.tenantId) ? proceed(key, ...how) : null,
  bytes: async (principal, proceed, artifact) =>
    seesTenant(principal, artifact.tenantId) ? proceed(artifact) : null,
};

function changing<Options extends ArtifactKey, Rest extends readonly unknown[], Answer>(right: RightName) {
  return (
    principal: Principal,
    proceed: (options: Options, ...rest: Rest) => Answer,
    options: Options,
    ...rest: Rest
  ): Answer => {
    requireRightWithin(principal, right, options.tenantId, "tenantId");
    return proceed(options, ...rest);
  };
}

/**
 * Removes the job id from a refusal because of a reindex, unless the principal may see that job, which covers
 * all tenants.
 */
function withoutJob(principal: Principal, error: unknown): unknown {
  if (!(error instanceof Refused) || error.facts.jobId === undefined || principal.tenants === null)
    return error;
  const { jobId: _jobId, ...facts } = error.facts;
  return new Refused(error.code, error.message, facts, { cause: error });
}
