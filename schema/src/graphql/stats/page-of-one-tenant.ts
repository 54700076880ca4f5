import type { Page, PageRequest } from "../../domain/pages.ts";
import { Refused } from "../../domain/refusals.ts";
import { tenantGlobalId } from "../types/global-ids.ts";

/**
 * Returns a page of the tenants in one tier, for the stats of a single tenant or workflow: that tenant if
 * `isPresent`, else no rows. It needs no call of a service.
 *
 * @throws Refused CURSOR_INVALID for any cursor except the tenant's. That cursor is the same in every tier,
 * and stays valid while the tenant is absent.
 */
export function pageOfOneTenant(tenantId: string, isPresent: boolean, page: PageRequest): Page<string> {
  const cursor = tenantGlobalId(tenantId);
  for (const argument of ["after", "before"] as const) {
    if (page[argument] === null || page[argument] === cursor) continue;
    throw new Refused("CURSOR_INVALID", `${argument} is not a cursor of this list.`, { argument });
  }
  const isBehind = isPresent && page.after !== null;
  const isAhead = isPresent && page.before !== null;
  const isInRange = isPresent && !isBehind && !isAhead;
  const isCut = isInRange && page.limit === 0;
  return {
    edges: isInRange && !isCut ? [{ cursor, node: tenantId }] : [],
    hasNextPage: isAhead || (isCut && !page.backward),
    hasPreviousPage: isBehind || (isCut && page.backward),
    totalCount: async () => (isPresent ? 1 : 0),
  };
}
