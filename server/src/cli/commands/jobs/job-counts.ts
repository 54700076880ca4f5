import type { EventJob } from "@tierkeep/sdk";
import { counted, shownBytes } from "../../output/quantity.ts";

/** What a job has done so far, in a few words. A kind that a newer server adds has none. */
export function jobCounts(job: EventJob): string {
  switch (job.__typename) {
    case "LifecycleJob":
      return `${job.promotedToWarm} to warm, ${job.promotedToCold} to cold, ${job.purged} purged`;
    case "RestoreJob":
      return `${job.restoredCount} restored to ${job.toTier.toLowerCase()}, ${job.skippedCount} skipped`;
    case "ReindexJob":
      return `${job.adoptedCount} adopted, ${job.presentCount} present, ${job.quarantinedCount} quarantined, ${job.leftCount} left`;
    case "VerifyJob":
      return (
        `${counted(job.checkedCount, "artifact")} checked (${shownBytes(job.checkedBytes)}), ` +
        `${job.damagedCount} damaged, ${job.missingCount} missing, ${job.strayCount} stray`
      );
    default:
      return "";
  }
}
