import { type Principal, ROLES, type Role } from "./principal.ts";
import { Refused } from "./refusals.ts";

/**
 * What a principal may, written down once. It has two halves, both of them functions of the principal and of what it
 * names, never of what is stored:
 *
 * - **Seeing** goes by tenants alone. What belongs to another tenant looks exactly like what does not exist: null, an
 *   empty list, a count of nothing, NOT_FOUND for an id; and what spans tenants is seen by who sees all of those.
 * - **Changing** takes the role that RIGHTS names, and each tenant that is named must be one's own, else FORBIDDEN. A
 *   change that is named by the id of something that may not be seen is answered as for the id of nothing.
 *
 * A change over all tenants is for ADMIN alone, who has all of them.
 */
export interface Right {
  /** The least role that has it. */
  readonly role: Role;
  /** Completes "You may not …". */
  readonly doing: string;
}

export const RIGHTS = {
  read: { role: "READER", doing: "read here" },
  write: { role: "WRITER", doing: "write artifacts" },
  promote: { role: "WRITER", doing: "promote artifacts" },
  restore: { role: "WRITER", doing: "restore artifacts" },
  purge: { role: "OPERATOR", doing: "purge artifacts" },
  runLifecycle: { role: "OPERATOR", doing: "run the lifecycle" },
  verify: { role: "OPERATOR", doing: "verify artifacts" },
  cancelJob: { role: "OPERATOR", doing: "cancel jobs" },
  reindex: { role: "ADMIN", doing: "reindex the store" },
  confirmReindex: { role: "ADMIN", doing: "confirm a reindex" },
  manageQuarantine: { role: "ADMIN", doing: "list and empty the quarantine" },
  manageKeys: { role: "ADMIN", doing: "make, list and revoke API keys" },
} as const satisfies Record<string, Right>;

export type RightName = keyof typeof RIGHTS;

export function hasRole({ role }: Principal, least: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(least);
}

/** `tenantId` null: what belongs to no one tenant. */
export function seesTenant({ tenants }: Principal, tenantId: string | null): boolean {
  return tenants === null || (tenantId !== null && tenants.includes(tenantId));
}

/** True where it sees all of these. Null: all that there are, now and later. */
export function seesTenants(principal: Principal, tenantIds: readonly string[] | null): boolean {
  if (tenantIds === null) return principal.tenants === null;
  return tenantIds.every((tenantId) => seesTenant(principal, tenantId));
}

/** @throws Refused FORBIDDEN where the role is too low; ADMIN is one who has all tenants */
export function requireRight(principal: Principal, name: RightName): void {
  const { role, doing } = RIGHTS[name];
  if (hasRole(principal, role) && (role !== "ADMIN" || principal.tenants === null)) return;
  throw new Refused(
    "FORBIDDEN",
    `You may not ${doing}: that takes the role ${role}, and yours is ${principal.role}. Use credentials that have it.`,
  );
}

/**
 * For a change within one tenant.
 *
 * @param argument path of the argument that names the tenant @throws Refused FORBIDDEN
 */
export function requireRightWithin(
  principal: Principal,
  name: RightName,
  tenantId: string,
  argument: string,
): void {
  requireRight(principal, name);
  if (seesTenant(principal, tenantId)) return;
  throw new Refused(
    "FORBIDDEN",
    `You may not ${RIGHTS[name].doing} for the tenant ${JSON.stringify(tenantId)}: it is not among yours. viewer lists those.`,
    { argument },
  );
}

/**
 * For a change over whatever tenants there are.
 *
 * @param argument path of the argument that would have named a tenant @throws Refused FORBIDDEN
 */
export function requireRightOverAll(principal: Principal, name: RightName, argument: string): void {
  requireRight(principal, name);
  if (hasRole(principal, "ADMIN") && principal.tenants === null) return;
  throw new Refused(
    "FORBIDDEN",
    `You may not ${RIGHTS[name].doing} for all tenants: that takes the role ADMIN. Name one tenant of yours.`,
    { argument },
  );
}
