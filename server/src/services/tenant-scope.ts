import type { Principal } from "@tierkeep/schema/domain/principal";
import type { TenantScope } from "../catalog/catalog.ts";

/**
 * Returns the key by which scans take turns: actor and tenants. Equal names from different issuers are
 * different principals.
 */
export function scanOwner({ actor, tenants }: Principal): string {
  return JSON.stringify([actor, tenants && [...new Set(tenants)].sort()]);
}

/** Returns the principal's tenants as a limit for reads of the catalog. */
export function tenantScopeOf({ tenants }: Principal): TenantScope {
  return tenants === null ? {} : { tenants: [...new Set(tenants)] };
}

/**
 * Returns the filter, limited to the principal's tenants. A filter for another tenant finds nothing and reads
 * nothing, so the response time does not show whether that tenant exists. With a single tenant, the filter
 * names it.
 */
export function scoped<Filter extends { readonly tenantId?: string | undefined }>(
  principal: Principal,
  filter: Filter,
): Filter & TenantScope {
  const { tenants } = tenantScopeOf(principal);
  if (tenants === undefined) return filter;
  const { tenantId } = filter;
  if (tenantId !== undefined)
    return tenants.includes(tenantId) ? filter : { ...filter, tenantId: undefined, tenants: [] };
  return tenants.length === 1 ? { ...filter, tenantId: tenants[0] } : { ...filter, tenants };
}
