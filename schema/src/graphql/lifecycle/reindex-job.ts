import type { ReindexJob } from "../../services/jobs.ts";
import { builder } from "../types/builder.ts";
import { JobType, jobOf } from "./job.ts";
import { findingsField } from "./store-finding.ts";

export const ReindexJobType = builder.objectRef<ReindexJob>("ReindexJob");

ReindexJobType.implement({
  description: "Taking up what stands in the published tree and the catalog does not have.",
  interfaces: [builder.nodeInterfaceRef(), JobType],
  fields: (t) => ({
    adoptedCount: t.expose("adoptedCount", {
      type: "SafeInt",
      description: "How many artifacts it has adopted; dry: would adopt.",
    }),
    presentCount: t.expose("presentCount", {
      type: "SafeInt",
      description: "How many it found that the catalog has already. They stay as they are.",
    }),
    quarantinedCount: t.expose("quarantinedCount", {
      type: "SafeInt",
      description: "How many files it has moved out of the way; dry: would move.",
    }),
    leftCount: t.expose("leftCount", {
      type: "SafeInt",
      description: "How many paths it has left where they are.",
    }),
    confirmedAt: t.expose("confirmedAt", {
      type: "DateTime",
      nullable: true,
      description:
        "When somebody confirmed what it found. Null: nobody has; nothing is purged while a live one that has adopted something stands so.",
    }),
    findings: findingsField(t),
  }),
});

builder.queryField("reindexJob", (t) =>
  t.field({
    needs: "read",
    type: ReindexJobType,
    nullable: true,
    description: "The reindex of this id. Null: there is none, or the id is of something else.",
    args: { id: t.arg.id({ required: true, description: "The job's global id." }) },
    resolve: (_root, { id }, { reads }) => jobOf(reads, id, "reindex"),
  }),
);
