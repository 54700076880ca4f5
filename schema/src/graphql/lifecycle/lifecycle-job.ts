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
    "One run of the lifecycle: it judges every artifact's age at one instant, and takes each that is due one step further.",
  interfaces: [builder.nodeInterfaceRef(), JobType],
  fields: (t) => ({
    asOf: t.expose("asOf", { type: "DateTime", description: "The instant at which it judges ages." }),
    tenantId: t.exposeString("tenantId", {
      nullable: true,
      description: "The one tenant it is for. Null: all tenants.",
    }),
    steps: t.expose("steps", { type: [LifecycleStepType], description: "The steps it takes." }),
    promotedToWarm: t.expose("promotedToWarm", {
      type: "SafeInt",
      description: "How many artifacts it has moved to WARM; dry: would move.",
    }),
    promotedToCold: t.expose("promotedToCold", {
      type: "SafeInt",
      description: "How many artifacts it has moved to COLD; dry: would move.",
    }),
    purged: t.expose("purged", {
      type: "SafeInt",
      description: "How many artifacts it has purged; dry: would purge.",
    }),
    retentionPolicy: t.expose("retentionPolicy", {
      type: RetentionPolicyType,
      description: "The default policy that was in force when it began.",
    }),
    items: t.connection(
      {
        type: LifecycleItemType,
        description:
          "What it did or, dry, would do, one artifact at a time, by key. Kept for the last 100 runs of the same tenant.",
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
    description: "The lifecycle run of this id. Null: there is none, or the id is of something else.",
    args: { id: t.arg.id({ required: true, description: "The job's global id." }) },
    resolve: (_root, { id }, { reads }) => jobOf(reads, id, "lifecycle"),
  }),
  lifecycleJobs: t.connection(
    {
      needs: "read",
      type: LifecycleJobType,
      description: "Lifecycle runs, newest first.",
      resolve: async (_root, args, { services, principal }) =>
        connectionOf(await services.jobs.listLifecycle(principal, requirePage(args))),
    },
    LifecycleJobConnection,
  ),
  lastLifecycleJob: t.field({
    needs: "read",
    type: LifecycleJobType,
    nullable: true,
    description: "The lifecycle run that finished last. Null: none has.",
    args: {
      dryRun: t.arg.boolean({ description: "Of dry runs only, or of live ones only. Left out: of both." }),
    },
    resolve: (_root, { dryRun }, { services, principal }) =>
      services.jobs.last(principal, dryRun ?? undefined),
  }),
}));
