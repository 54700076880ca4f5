import { randomBytes } from "node:crypto";
import { type Principal, ROLES, type Role } from "@tierkeep/schema/domain/principal";
import {
  artifactGlobalId,
  jobGlobalId,
  lifecycleEventGlobalId,
  tenantGlobalId,
  workflowGlobalId,
} from "@tierkeep/schema/graphql/types/global-ids";
import { lasting } from "../../src/http/auth/credentials.ts";
import {
  type HandlerUnderTest,
  type HandlerUnderTestOptions,
  handlerUnderTest,
} from "./handler-under-test.ts";

/** Names of equal length that occur nowhere else in responses, so responses can be compared. */
export const MINE = "tenant-1";
export const OTHER = "tenant-2";
/** A tenant that does not exist. */
export const NONE = "tenant-3";

/** Names and ids of one tenant's data. */
export interface Names {
  readonly tenantId: string;
  readonly artifact: string;
  readonly workflow: string;
  readonly tenant: string;
  readonly event: string;
  readonly eventCursor: string;
  readonly lifecycleJob: string;
  readonly verifyJob: string;
  readonly restoreJob: string;
  /** A reindex always covers all tenants. */
  readonly reindexJob: string;
}

const ROOT: Principal = { actor: "root", role: "ADMIN", tenants: null };

/**
 * Returns the principal for an Authorization header that names a role. ADMIN has access to all tenants, every
 * other role to MINE only.
 */
export function principalOf(role: Role): Principal {
  return { actor: role, role, tenants: role === "ADMIN" ? null : [MINE] };
}

const principals = new Map<string, Principal>(ROLES.map((role) => [role, principalOf(role)]));

export async function accessStore(
  options: Omit<HandlerUnderTestOptions, "authenticate"> = {},
): Promise<HandlerUnderTest> {
  return handlerUnderTest({
    ...options,
    authenticate: async (authorization) => {
      const principal = principals.get(authorization ?? "");
      if (principal === undefined) throw new Error(`There is no principal ${authorization}.`);
      return lasting(principal);
    },
  });
}

/** Returns well-formed names of things that do not exist. */
export function namesOfNothing(tenantId = NONE): Names {
  const key = { tenantId, workflowId: "w", artifactId: "a" };
  const random = () => jobGlobalId(randomBytes(16).toString("hex"));
  const eventCursor = randomBytes(16).toString("base64url");
  return {
    tenantId,
    artifact: artifactGlobalId(key),
    workflow: workflowGlobalId(key),
    tenant: tenantGlobalId(tenantId),
    eventCursor,
    event: lifecycleEventGlobalId(eventCursor),
    lifecycleJob: random(),
    verifyJob: random(),
    restoreJob: random(),
    reindexJob: random(),
  };
}

/** Creates artifacts, events, and one job of each kind except a reindex, for a tenant. */
export async function fill({ engine, services }: HandlerUnderTest, tenantId: string): Promise<Names> {
  const { artifacts, jobs, events } = services;
  const write = (artifactId: string, tier: "HOT" | "COLD") =>
    artifacts.write(
      ROOT,
      { tenantId, workflowId: "w", artifactId, tier, contentType: null, metadata: {} },
      Buffer.from(`${artifactId} of ${tenantId}`),
    );
  await write("a", "COLD");
  await write("b", "HOT");
  // Settle first, because background work could change the order of events.
  await engine.drain();
  const keys = [{ tenantId, workflowId: "w", artifactId: "a" }];
  const wait = { waitSeconds: 30 };
  const run = await jobs.runLifecycle(ROOT, { tenantId, dryRun: true, ...wait });
  const verify = await jobs.verify(ROOT, { tenantId, ...wait });
  const restore = await jobs.restoreArtifacts(ROOT, { keys, toTier: "HOT", dryRun: true, ...wait });
  const eventCursor = await events.cursor({ ...ROOT, tenants: [tenantId] });
  return {
    ...namesOfNothing(tenantId),
    eventCursor,
    event: lifecycleEventGlobalId(eventCursor),
    lifecycleJob: jobGlobalId(run.job.id),
    verifyJob: jobGlobalId(verify.id),
    restoreJob: jobGlobalId(restore.id),
  };
}

/** Runs jobs over all tenants. Returns `names` with the id of the reindex job. */
export async function fillAll({ services }: HandlerUnderTest, names: Names): Promise<Names> {
  const wait = { waitSeconds: 30 };
  await services.jobs.runLifecycle(ROOT, { dryRun: true, ...wait });
  await services.jobs.verify(ROOT, wait);
  const reindex = await services.jobs.reindex(ROOT, { dryRun: true, ...wait });
  return { ...names, reindexJob: jobGlobalId(reindex.id) };
}

/**
 * Returns the text with names replaced by placeholders, so that two responses to one query can be compared.
 */
export function anonymous(text: string, names: Names): string {
  return Object.entries(names)
    .sort(([, a], [, b]) => b.length - a.length)
    .reduce((rest, [what, name]) => rest.replaceAll(name, `<${what}>`), text);
}
