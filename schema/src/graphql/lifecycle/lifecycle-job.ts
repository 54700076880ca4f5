import { requirePage } from "../../domain/pages.ts";
import type { LifecycleJob } from "../../services/jobs.ts";
import { builder } from "../types/builder.ts";
import { connectionOf } from "../types/connections.ts";
import { JobType, jobOf } from "./job.ts";
import { LifecycleItemConnection, LifecycleItemType } from "./lifecycle-item.ts";
import { LifecycleStepType } from "./lifecycle-step.ts";
import { RetentionPolicyType } from "./retention-policy.ts";

export const LifecycleJobType = builder.objectRef<LifecycleJob>("LifecycleJob");

const LifecycleJobConnection = builder.connectionObject({
  type: LifecycleJobType,
  name: "LifecycleJobConnection",
});

LifecycleJobType.implement({
  description:
    "A lifecycle run. It computes the age of every artifact at one instant, and applies one step to each artifact that is due.",
  interfaces: [builder.nodeInterfaceRef(), JobType],
  fields: (t) => ({
    asOf: t.expose("asOf", { type: "DateTime", description: "The instant at which the run computes ages." }),
    tenantId: t.exposeString("tenantId", {
      nullable: true,
      description: "The only tenant that the run covers. Null: all tenants.",
    }),
    steps: t.expose("steps", { type: [LifecycleStepType], description: "The steps that the run applies." }),
    promotedToWarm: t.expose("promotedToWarm", {
      type: "SafeInt",
      description: "Number of artifacts moved to WARM. On a dry run: artifacts that would be moved.",
    }),
    promotedToCold: t.expose("promotedToCold", {
      type: "SafeInt",
      description: "Number of artifacts moved to COLD. On a dry run: artifacts that would be moved.",
    }),
    purged: t.expose("purged", {
      type: "SafeInt",
      description: "Number of artifacts purged. On a dry run: artifacts that would be purged.",
    }),
    retentionPolicy: t.expose("retentionPolicy", {
      type: RetentionPolicyType,
      description: "The default retention policy in force when the run started.",
    }),
    items: t.connection(
      {
        type: LifecycleItemType,
        description:
          "The step for each artifact, in key order. On a dry run: the steps that a live run would do. Kept for the last 100 runs of the same tenant; runs over all tenants are counted separately.",
        resolve: async ({ id }, args, { services, principal }) =>
          connectionOf(await services.jobs.items(principal, id, requirePage(args))),
      },
      LifecycleItemConnection,
    ),
  }),
});

builder.queryFields((t) => ({
  lifecycleJob: t.field({
    needs: "read",
    type: LifecycleJobType,
    nullable: true,
    description: "The lifecycle run with this id. Null if there is none, or if the id is of another type.",
    args: { id: t.arg.id({ required: true, description: "The job's global id." }) },
    resolve: (_root, { id }, { reads }) => jobOf(reads, id, "lifecycle"),
  }),
  lifecycleJobs: t.connection(
    {
      needs: "read",
      type: LifecycleJobType,
      description: "Lifecycle runs that the caller may see, newest first.",
      resolve: async (_root, args, { services, principal }) =>
        connectionOf(await services.jobs.listLifecycle(principal, requirePage(args))),
    },
    LifecycleJobConnection,
  ),
  lastLifecycleJob: t.field({
    needs: "read",
    type: LifecycleJobType,
    nullable: true,
    description: "The lifecycle run that finished last. Null if none has finished.",
    args: {
      dryRun: t.arg.boolean({ description: "True: only dry runs. False: only live runs. Default: both." }),
    },
    resolve: (_root, { dryRun }, { services, principal }) =>
      services.jobs.last(principal, dryRun ?? undefined),
  }),
}));
