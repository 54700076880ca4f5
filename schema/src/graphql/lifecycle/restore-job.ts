import type { RestoreJob } from "../../services/jobs.ts";
import { TierType } from "../artifact/tier.ts";
import { builder } from "../types/builder.ts";
import { JobType } from "./job.ts";

export const RestoreJobType = builder.objectRef<RestoreJob>("RestoreJob");

RestoreJobType.implement({
  description: "Bringing many artifacts back to a hotter tier.",
  interfaces: [builder.nodeInterfaceRef(), JobType],
  fields: (t) => ({
    tenantId: t.exposeString("tenantId", {
      nullable: true,
      description: "The one tenant whose artifacts it brings back. Null: those of several.",
    }),
    toTier: t.expose("toTier", { type: TierType, description: "The tier it brings them to." }),
    restoredCount: t.expose("restoredCount", {
      type: "SafeInt",
      description: "How many it has brought back; dry: would bring back.",
    }),
    skippedCount: t.expose("skippedCount", {
      type: "SafeInt",
      description: "How many it left alone, since they were there already.",
    }),
  }),
});
