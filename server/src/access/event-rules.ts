import { seesTenant } from "@tierkeep/schema/domain/rights";
import type { EventService } from "@tierkeep/schema/services/events";
import { narrowed, type Rules } from "./rule.ts";

/** An event belongs to its tenant; one of a job over several belongs to none, and is for those who see all. */
export const eventRules: Rules<EventService> = {
  list: narrowed,
  // Whose an event is stands in the event alone. Cursors cannot be guessed, so looking one up tells nothing by its time.
  getMany: async (principal, proceed, cursors) =>
    (await proceed(cursors)).map((event) =>
      event !== null && seesTenant(principal, event.tenantId) ? event : null,
    ),
  cursor: narrowed,
  follow: narrowed,
};
