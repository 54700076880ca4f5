import { requireIdentifier, requireKey } from "@tierkeep/schema/domain/identifiers";
import { type ArtifactKey, keyOf, keyText } from "@tierkeep/schema/domain/keys";
import { LIFECYCLE_STEPS, type LifecycleStep } from "@tierkeep/schema/domain/policy";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { isHotter, TIERS, type Tier } from "@tierkeep/schema/domain/tiers";
import type { ArtifactFilter } from "@tierkeep/schema/services/artifacts";
import type { RestoreArtifactsOptions, RunLifecycleOptions } from "@tierkeep/schema/services/jobs";

const MAX_KEYS = 500;
const MAX_WAIT_SECONDS = 60;

/** Stored input of a lifecycle job. Two live runs with equal input are the same run. */
export interface LifecycleInput {
  /** Null: all tenants. */
  readonly tenantId: string | null;
  /** In the order of LIFECYCLE_STEPS, without duplicates. */
  readonly steps: readonly LifecycleStep[];
  /** As requested; null if it was not given. */
  readonly asOf: number | null;
}

/** Stored input of a restore job. */
export type RestoreInput =
  | { readonly keys: readonly ArtifactKey[] }
  /** `tiers` and the instant for ages are set. */
  | { readonly where: ArtifactFilter };

/** @throws Refused BAD_USER_INPUT, INVALID_IDENTIFIER */
export function lifecycleInput(options: RunLifecycleOptions, allowAsOf: boolean): LifecycleInput {
  const { dryRun, tenantId, asOf, waitSeconds } = options;
  requireWait(waitSeconds);
  if (tenantId !== undefined) requireIdentifier("tenantId", tenantId);
  if (options.steps?.length === 0) {
    throw new Refused(
      "BAD_USER_INPUT",
      "steps is empty. Name at least one step, or leave it out for all three.",
      {
        argument: "steps",
      },
    );
  }
  if (asOf !== undefined && !dryRun && !allowAsOf) {
    throw new Refused(
      "BAD_USER_INPUT",
      "A live run computes ages as of now. Omit asOf, set dryRun, or start the server with TIERKEEP_ALLOW_AS_OF=true.",
      { argument: "asOf" },
    );
  }
  const steps = LIFECYCLE_STEPS.filter((step) => options.steps?.includes(step) ?? true);
  return { tenantId: tenantId ?? null, steps, asOf: asOf ?? null };
}

/**
 * Returns the input to store. `now` becomes the instant for ages if none is given.
 * @throws Refused BAD_USER_INPUT, INVALID_IDENTIFIER
 */
export function restoreInput(options: RestoreArtifactsOptions, now: number): RestoreInput {
  const { keys, where, toTier, waitSeconds } = options;
  requireWait(waitSeconds);
  if ((keys === undefined) === (where === undefined)) {
    throw new Refused("BAD_USER_INPUT", "Give exactly one of keys and where.", { argument: "keys" });
  }
  if (where !== undefined) return { where: fixedFilter(where, toTier, now) };
  return { keys: distinctKeys(keys ?? []) };
}

/** Returns the refusal of a reindex on a server without a view. */
export function treeNotPublished(): Refused {
  return new Refused(
    "UNAVAILABLE",
    "This server publishes no tree of files, and a reindex reads that tree. Start the server with PUBLISH_TREE=true.",
  );
}

/** Returns the tenants whose artifacts the job may change, without duplicates. Empty: all. */
export function tenantsOf(input: RestoreInput): readonly string[] {
  if ("where" in input) return input.where.tenantId === undefined ? [] : [input.where.tenantId];
  return [...new Set(input.keys.map(({ tenantId }) => tenantId))];
}

/** Returns the single tenant whose artifacts the job may change. Null if there are several. */
export function tenantOf(input: RestoreInput): string | null {
  const tenants = tenantsOf(input);
  return tenants.length === 1 ? (tenants[0] ?? null) : null;
}

function fixedFilter(where: ArtifactFilter, toTier: Tier, now: number): ArtifactFilter {
  if (where.tenantId === undefined) {
    throw new Refused("BAD_USER_INPUT", "where.tenantId is missing. Name the tenant to restore for.", {
      argument: "where.tenantId",
    });
  }
  requireIdentifier("tenantId", where.tenantId, "where.tenantId");
  if (where.workflowId !== undefined) requireIdentifier("workflowId", where.workflowId, "where.workflowId");
  return {
    ...where,
    tiers: where.tiers ?? TIERS.filter((tier) => isHotter(toTier, tier)),
    ...(where.olderThanDays !== undefined && { asOf: where.asOf ?? now }),
  };
}

function distinctKeys(keys: readonly ArtifactKey[]): readonly ArtifactKey[] {
  if (keys.length === 0 || keys.length > MAX_KEYS) {
    throw new Refused(
      "BAD_USER_INPUT",
      `keys has ${keys.length} entries; give 1 to ${MAX_KEYS}, or a filter in where for more.`,
      { argument: "keys" },
    );
  }
  const distinct = new Map<string, ArtifactKey>();
  keys.forEach((key, index) => {
    const checked = requireKey(key, `keys.${index}.`);
    distinct.set(keyText(checked), keyOf(checked));
  });
  return [...distinct.values()];
}

export function requireWait(waitSeconds: number): void {
  if (Number.isInteger(waitSeconds) && waitSeconds >= 0 && waitSeconds <= MAX_WAIT_SECONDS) return;
  throw new Refused(
    "BAD_USER_INPUT",
    `waitSeconds is ${waitSeconds}; give 0 to ${MAX_WAIT_SECONDS}. The job continues after that; read it by its id.`,
    { argument: "waitSeconds" },
  );
}
