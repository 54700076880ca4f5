import type { Page, PageRequest } from "../../domain/pages.ts";
import { Refused } from "../../domain/refusals.ts";
import { tenantGlobalId } from "../types/global-ids.ts";

/**
 * A page of the tenants in one tier of one tenant's or workflow's stats: that tenant if it `isThere`, else none. No
 * service lists that little.
 *
 * @throws Refused CURSOR_INVALID for any cursor but its own, which is the same in every tier and stays good while the
 * tenant comes and goes
 */
export function pageOfOneTenant(tenantId: string, isThere: boolean, page: PageRequest): Page<string> {
  const cursor = tenantGlobalId(tenantId);
  for (const argument of ["after", "before"] as const) {
    if (page[argument] === null || page[argument] === cursor) continue;
    throw new Refused("CURSOR_INVALID", `${argument} is no cursor of this list.`, { argument });
  }
  const isBehind = isThere && page.after !== null;
  const isAhead = isThere && page.before !== null;
  const isInRange = isThere && !isBehind && !isAhead;
  const isCut = isInRange && page.limit === 0;
  return {
    edges: isInRange && !isCut ? [{ cursor, node: tenantId }] : [],
    hasNextPage: isAhead || (isCut && !page.backward),
    hasPreviousPage: isBehind || (isCut && page.backward),
    totalCount: async () => (isThere ? 1 : 0),
  };
}
