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
    "A tenant: the owner of workflows and their artifacts. It exists from its first artifact on, and remains after its last artifact is deleted.",
  interfaces: [builder.nodeInterfaceRef()],
  fields: (t) => ({
    id: t.id({ description: "Opaque global id.", resolve: ({ tenantId }) => tenantGlobalId(tenantId) }),
    tenantId: t.exposeString("tenantId", { description: "The tenant's name." }),
    workflow: t.field({
      type: WorkflowType,
      nullable: true,
      description: "The tenant's workflow with this name. Null if there is none.",
      args: { workflowId: t.arg.string({ required: true, description: "The workflow's name." }) },
      resolve: async ({ tenantId }, args, { reads }) => {
        const workflow = { tenantId, workflowId: requireIdentifier("workflowId", args.workflowId) };
        return (await reads.loaders.workflowExists(workflow)) ? workflow : null;
      },
    }),
    workflows: t.connection(
      {
        type: WorkflowType,
        description: "The tenant's workflows, in name order.",
        resolve: async ({ tenantId }, args, { services, principal }) =>
          connectionOf(await services.tenants.listWorkflows(principal, tenantId, requirePage(args))),
      },
      WorkflowConnection,
    ),
    artifacts: t.connection(
      {
        type: ArtifactType,
        description: "The tenant's artifacts. A filter that names another tenant: BAD_USER_INPUT.",
        args: artifactListArguments,
        resolve: ({ tenantId }, args, context) => listArtifacts({ tenantId }, args, context),
      },
      ArtifactConnection,
    ),
    tierStats: t.field({
      type: [TierStatsType],
      description:
        "The tenant's artifact counts and bytes in each tier: always HOT, WARM, COLD, in this order.",
      resolve: async ({ tenantId }, _args, { reads }) =>
        (await reads.loaders.tierCountsOfTenant(tenantId)).map((count) => ({ count, tenantId })),
    }),
    retentionPolicy: t.field({
      type: RetentionPolicyType,
      description: "The retention policy in force for the tenant.",
      resolve: ({ tenantId }, _args, { reads }) => reads.loaders.retentionPolicy(tenantId),
    }),
  }),
});
