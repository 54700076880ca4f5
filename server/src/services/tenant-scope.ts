import type { Principal } from "@tierkeep/schema/domain/principal";
import type { TenantScope } from "../catalog/catalog.ts";

/** By what scans take turns: an actor together with its tenants. Equal names from different issuers are different principals. */
export function scanOwner({ actor, tenants }: Principal): string {
  return JSON.stringify([actor, tenants && [...new Set(tenants)].sort()]);
}

/** The principal's tenants, as reads of the catalog are narrowed to them. */
export function tenantScopeOf({ tenants }: Principal): TenantScope {
  return tenants === null ? {} : { tenants: [...new Set(tenants)] };
}

/**
 * What a filter asks for, within the principal's tenants. One that names another tenant finds nothing and reads nothing,
 * so not even the time it takes says whether that tenant exists. Where there is but one tenant, it is as if the filter
 * had named it.
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
