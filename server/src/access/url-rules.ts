import { requireRightWithin, seesTenant } from "@tierkeep/schema/domain/rights";
import type { UrlService } from "@tierkeep/schema/services/urls";
import type { Rules } from "./rule.ts";

/** A URL passes a right on, for a while: so it takes that right, as what it permits would. */
export const urlRules: Rules<UrlService> = {
  download: async (principal, proceed, key, seconds) =>
    seesTenant(principal, key.tenantId) ? proceed(key, seconds) : null,
  upload: (principal, proceed, terms, seconds) => {
    requireRightWithin(principal, "write", terms.tenantId, "tenantId");
    return proceed(terms, seconds);
  },
};
