import type { RestoreJob } from "../../services/jobs.ts";
import { TierType } from "../artifact/tier.ts";
import { builder } from "../types/builder.ts";
import { JobType } from "./job.ts";

export const RestoreJobType = builder.objectRef<RestoreJob>("RestoreJob");

RestoreJobType.implement({
  description: "A restore of several artifacts to a hotter tier.",
  interfaces: [builder.nodeInterfaceRef(), JobType],
  fields: (t) => ({
    tenantId: t.exposeString("tenantId", {
      nullable: true,
      description: "The only tenant whose artifacts are restored. Null: several tenants.",
    }),
    toTier: t.expose("toTier", {
      type: TierType,
      description: "The tier that the artifacts are restored to.",
    }),
    restoredCount: t.expose("restoredCount", {
      type: "SafeInt",
      description: "Number of artifacts restored. On a dry run: artifacts that would be restored.",
    }),
    skippedCount: t.expose("skippedCount", {
      type: "SafeInt",
      description: "Number of artifacts skipped because they were already in `toTier` or in a hotter tier.",
    }),
  }),
});
