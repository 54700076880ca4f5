import { requireRight } from "@tierkeep/schema/domain/rights";
import type { KeyService } from "@tierkeep/schema/services/keys";
import type { Rules } from "./rule.ts";

/** Keys are an administrator's alone, who has everything: so nobody gives more than he has. */
export const keyRules: Rules<KeyService> = {
  create: (principal, proceed, options) => {
    requireRight(principal, "manageKeys");
    return proceed(options);
  },
  list: (principal, proceed, page) => {
    requireRight(principal, "manageKeys");
    return proceed(page);
  },
  revoke: (principal, proceed, ...args) => {
    requireRight(principal, "manageKeys");
    return proceed(...args);
  },
};
