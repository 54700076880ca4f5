import type { VerifyJob } from "../../services/jobs.ts";
import { builder } from "../types/builder.ts";
import { JobType, jobOf } from "./job.ts";
import { findingsField } from "./store-finding.ts";

export const VerifyJobType = builder.objectRef<VerifyJob>("VerifyJob");

VerifyJobType.implement({
  description:
    "A verification: it compares the stored content with the catalog in both directions. With `repair`, it also repairs what can be repaired.",
  interfaces: [builder.nodeInterfaceRef(), JobType],
  fields: (t) => ({
    tenantId: t.exposeString("tenantId", {
      nullable: true,
      description:
        "The only tenant whose artifacts are verified. Null: all artifacts, and unknown objects and files.",
    }),
    checkedCount: t.expose("checkedCount", {
      type: "SafeInt",
      description: "Number of artifacts read.",
    }),
    checkedBytes: t.expose("checkedBytes", {
      type: "SafeInt",
      description: "Number of bytes read.",
    }),
    damagedCount: t.expose("damagedCount", {
      type: "SafeInt",
      description: "Number of artifacts whose content differs from the content that was written.",
    }),
    missingCount: t.expose("missingCount", {
      type: "SafeInt",
      description: "Number of artifacts whose content is missing.",
    }),
    strayCount: t.expose("strayCount", {
      type: "SafeInt",
      description: "Number of unknown objects and files found, which belong to no artifact.",
    }),
    repair: t.exposeBoolean("repair", { description: "True if the job repairs what can be repaired." }),
    healedCount: t.expose("healedCount", {
      type: "SafeInt",
      description: "Number of damaged or missing artifacts whose content was recovered.",
    }),
    quarantinedCount: t.expose("quarantinedCount", {
      type: "SafeInt",
      description: "Number of unknown objects and files moved to quarantine.",
    }),
    adoptedCount: t.expose("adoptedCount", {
      type: "SafeInt",
      description: "Number of artifacts that were adopted from files with a matching sidecar.",
    }),
    findings: findingsField(t),
  }),
});

builder.queryField("verifyJob", (t) =>
  t.field({
    needs: "read",
    type: VerifyJobType,
    nullable: true,
    description: "The verification with this id. Null if there is none, or if the id is of another type.",
    args: { id: t.arg.id({ required: true, description: "The job's global id." }) },
    resolve: (_root, { id }, { reads }) => jobOf(reads, id, "verify"),
  }),
);
