import type { ReindexJob } from "../../services/jobs.ts";
import { builder } from "../types/builder.ts";
import { JobType, jobOf } from "./job.ts";
import { findingsField } from "./store-finding.ts";

export const ReindexJobType = builder.objectRef<ReindexJob>("ReindexJob");

ReindexJobType.implement({
  description: "A reindex: it adds the artifacts in the published tree that the catalog does not have.",
  interfaces: [builder.nodeInterfaceRef(), JobType],
  fields: (t) => ({
    adoptedCount: t.expose("adoptedCount", {
      type: "SafeInt",
      description: "Number of artifacts added to the catalog. On a dry run: artifacts that would be added.",
    }),
    presentCount: t.expose("presentCount", {
      type: "SafeInt",
      description: "Number of artifacts found that the catalog already has. They are not changed.",
    }),
    quarantinedCount: t.expose("quarantinedCount", {
      type: "SafeInt",
      description: "Number of files moved to quarantine. On a dry run: files that would be moved.",
    }),
    leftCount: t.expose("leftCount", {
      type: "SafeInt",
      description: "Number of paths that were not adopted and were left in place.",
    }),
    confirmedAt: t.expose("confirmedAt", {
      type: "DateTime",
      nullable: true,
      description:
        "When an administrator confirmed the findings. Null if not confirmed. An unconfirmed live reindex that adopted artifacts blocks every purge.",
    }),
    findings: findingsField(t),
  }),
});

builder.queryField("reindexJob", (t) =>
  t.field({
    needs: "read",
    type: ReindexJobType,
    nullable: true,
    description: "The reindex with this id. Null if there is none, or if the id is of another type.",
    args: { id: t.arg.id({ required: true, description: "The job's global id." }) },
    resolve: (_root, { id }, { reads }) => jobOf(reads, id, "reindex"),
  }),
);
