import { requireRight } from "@tierkeep/schema/domain/rights";
import type { QuarantineService } from "@tierkeep/schema/services/quarantine";
import type { Rules } from "./rule.ts";

/** What is in quarantine may be of any tenant, so only an administrator sees or deletes it. */
export const quarantineRules: Rules<QuarantineService> = {
  list: (principal, proceed, limit) => {
    requireRight(principal, "manageQuarantine");
    return proceed(limit);
  },
  empty: (principal, proceed, options) => {
    requireRight(principal, "manageQuarantine");
    return proceed(options);
  },
};
