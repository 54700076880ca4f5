import { requireIdentifier } from "../../domain/identifiers.ts";
import { requirePage } from "../../domain/pages.ts";
import { artifactListArguments, listArtifacts } from "../artifact/artifact-list.ts";
import { RetentionPolicyType } from "../lifecycle/retention-policy.ts";
import { builder } from "../types/builder.ts";
import { connectionOf } from "../types/connections.ts";
import { tenantGlobalId } from "../types/global-ids.ts";
import {
  ArtifactConnection,
  ArtifactType,
  TenantType,
  TierStatsType,
  WorkflowConnection,
  WorkflowType,
} from "../types/references.ts";

TenantType.implement({
  description:
    "On whose behalf workflows run. It exists from its first artifact on, and stays when it has none left.",
  interfaces: [builder.nodeInterfaceRef()],
  fields: (t) => ({
    id: t.id({ description: "Opaque global id.", resolve: ({ tenantId }) => tenantGlobalId(tenantId) }),
    tenantId: t.exposeString("tenantId", { description: "Its name." }),
    workflow: t.field({
      type: WorkflowType,
      nullable: true,
      description: "Its workflow of this name. Null: it has none.",
      args: { workflowId: t.arg.string({ required: true, description: "The workflow's name." }) },
      resolve: async ({ tenantId }, args, { reads }) => {
        const workflow = { tenantId, workflowId: requireIdentifier("workflowId", args.workflowId) };
        return (await reads.loaders.workflowExists(workflow)) ? workflow : null;
      },
    }),
    workflows: t.connection(
      {
        type: WorkflowType,
        description: "Its workflows, by name.",
        resolve: async ({ tenantId }, args, { services, principal }) =>
          connectionOf(await services.tenants.listWorkflows(principal, tenantId, requirePage(args))),
      },
      WorkflowConnection,
    ),
    artifacts: t.connection(
      {
        type: ArtifactType,
        description: "Its artifacts. A filter that names another tenant: BAD_USER_INPUT.",
        args: artifactListArguments,
        resolve: ({ tenantId }, args, context) => listArtifacts({ tenantId }, args, context),
      },
      ArtifactConnection,
    ),
    tierStats: t.field({
      type: [TierStatsType],
      description: "What it has in each tier: always HOT, WARM, COLD, in this order.",
      resolve: async ({ tenantId }, _args, { reads }) =>
        (await reads.loaders.tierCountsOfTenant(tenantId)).map((count) => ({ count, tenantId })),
    }),
    retentionPolicy: t.field({
      type: RetentionPolicyType,
      description: "The retention policy in force for it.",
      resolve: ({ tenantId }, _args, { reads }) => reads.loaders.retentionPolicy(tenantId),
    }),
  }),
});
