import type { VerifyJob } from "../../services/jobs.ts";
import { builder } from "../types/builder.ts";
import { JobType, jobOf } from "./job.ts";
import { findingsField } from "./store-finding.ts";

export const VerifyJobType = builder.objectRef<VerifyJob>("VerifyJob");

VerifyJobType.implement({
  description:
    "Reading all that is stored and comparing it with what the catalog says, both ways; and, where it was asked to, mending what can be mended.",
  interfaces: [builder.nodeInterfaceRef(), JobType],
  fields: (t) => ({
    tenantId: t.exposeString("tenantId", {
      nullable: true,
      description: "The one tenant whose artifacts it reads. Null: all of them, and what belongs to none.",
    }),
    checkedCount: t.expose("checkedCount", {
      type: "SafeInt",
      description: "How many artifacts it has read.",
    }),
    checkedBytes: t.expose("checkedBytes", {
      type: "SafeInt",
      description: "How many bytes it has read of them.",
    }),
    damagedCount: t.expose("damagedCount", {
      type: "SafeInt",
      description: "How many have other bytes than were written.",
    }),
    missingCount: t.expose("missingCount", {
      type: "SafeInt",
      description: "How many have lost their bytes.",
    }),
    strayCount: t.expose("strayCount", {
      type: "SafeInt",
      description: "How many objects and files it found that belong to no artifact.",
    }),
    repair: t.exposeBoolean("repair", { description: "True: it mends what can be mended." }),
    healedCount: t.expose("healedCount", {
      type: "SafeInt",
      description: "How many of the damaged and missing ones have their bytes again.",
    }),
    quarantinedCount: t.expose("quarantinedCount", {
      type: "SafeInt",
      description: "How many strays it has moved to quarantine.",
    }),
    adoptedCount: t.expose("adoptedCount", {
      type: "SafeInt",
      description: "How many artifacts it has taken up whose sidecars knew them.",
    }),
    findings: findingsField(t),
  }),
});

builder.queryField("verifyJob", (t) =>
  t.field({
    needs: "read",
    type: VerifyJobType,
    nullable: true,
    description: "The verification of this id. Null: there is none, or the id is of something else.",
    args: { id: t.arg.id({ required: true, description: "The job's global id." }) },
    resolve: (_root, { id }, { reads }) => jobOf(reads, id, "verify"),
  }),
);
