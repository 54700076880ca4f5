import { type Principal, ROLES, type Role } from "./principal.ts";
import { Refused } from "./refusals.ts";

/**
 * A right of a principal. Rights depend only on the principal and on what its request names, never on what is
 * stored:
 *
 * - **Reading** depends on tenants only. An object of another tenant looks exactly like an object that does
 *   not exist: null, an empty list, a count of 0, NOT_FOUND for an id. An object that spans tenants is
 *   visible to a principal that may see all of them.
 * - **Changing** requires the role in RIGHTS, and every named tenant must be one of the principal's, else
 *   FORBIDDEN. A change that names the id of an invisible object is rejected as for an unknown id.
 *
 * A change over all tenants requires ADMIN, which has all tenants.
 */
export interface Right {
  /** The lowest role that has the right. */
  readonly role: Role;
  /** Completes "You may not …". */
  readonly doing: string;
}

export const RIGHTS = {
  read: { role: "READER", doing: "read from this server" },
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
  manageKeys: { role: "ADMIN", doing: "create, list and revoke API keys" },
} as const satisfies Record<string, Right>;

export type RightName = keyof typeof RIGHTS;

export function hasRole({ role }: Principal, least: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(least);
}

/**
 * Returns true if the principal may see the tenant. `tenantId` null: an object that belongs to no single
 * tenant.
 */
export function seesTenant({ tenants }: Principal, tenantId: string | null): boolean {
  return tenants === null || (tenantId !== null && tenants.includes(tenantId));
}

/** Returns true if the principal may see all of these tenants. Null: all tenants, existing and future. */
export function seesTenants(principal: Principal, tenantIds: readonly string[] | null): boolean {
  if (tenantIds === null) return principal.tenants === null;
  return tenantIds.every((tenantId) => seesTenant(principal, tenantId));
}

/**
 * Checks that the principal's role has the right. ADMIN counts only together with all tenants. @throws
 * Refused FORBIDDEN
 */
export function requireRight(principal: Principal, name: RightName): void {
  const { role, doing } = RIGHTS[name];
  if (hasRole(principal, role) && (role !== "ADMIN" || principal.tenants === null)) return;
  throw new Refused(
    "FORBIDDEN",
    `You may not ${doing}: this requires the role ${role}, and yours is ${principal.role}. Use credentials with that role.`,
  );
}

/**
 * Checks the right to a change within one tenant.
 *
 * @param argument path of the argument that names the tenant
 * @throws Refused FORBIDDEN
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
    `You may not ${RIGHTS[name].doing} for the tenant ${JSON.stringify(tenantId)}: it is not one of your tenants. The query viewer lists them.`,
    { argument },
  );
}

/**
 * Checks the right to a change over all tenants.
 *
 * @param argument path of the argument that can name a tenant
 * @throws Refused FORBIDDEN
 */
export function requireRightOverAll(principal: Principal, name: RightName, argument: string): void {
  requireRight(principal, name);
  if (hasRole(principal, "ADMIN") && principal.tenants === null) return;
  throw new Refused(
    "FORBIDDEN",
    `You may not ${RIGHTS[name].doing} for all tenants: this requires the role ADMIN. Name one of your tenants.`,
    { argument },
  );
}
