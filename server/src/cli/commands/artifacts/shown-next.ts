import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { Artifact } from "@tierkeep/sdk";
import { shownAge } from "../../output/quantity.ts";

const WHAT: Readonly<Record<string, string>> = {
  PROMOTE_TO_WARM: "WARM",
  PROMOTE_TO_COLD: "COLD",
  PURGE: "purged",
};

/** What the policy does to an artifact next, and when: "WARM in 3 d", "purged at the next run", "stays". */
export function shownNext({ nextTransition, ageSince, ageDays }: Artifact): string {
  if (nextTransition === null) return "stays";
  // The server's clock, not ours: its age is as of then.
  const now = Date.parse(ageSince) + ageDays * DAY_MS;
  const days = (Date.parse(nextTransition.at) - now) / DAY_MS;
  const what = WHAT[nextTransition.action] ?? nextTransition.action;
  return days > 0 ? `${what} in ${shownAge(days)}` : `${what} at the next run`;
}
