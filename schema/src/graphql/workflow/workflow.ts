import { artifactListArguments, listArtifacts } from "../artifact/artifact-list.ts";
import { builder } from "../types/builder.ts";
import { workflowGlobalId } from "../types/global-ids.ts";
import {
  ArtifactConnection,
  ArtifactType,
  TenantType,
  TierStatsType,
  WorkflowType,
} from "../types/references.ts";

WorkflowType.implement({
  description:
    "What produced artifacts for a tenant. It exists from its first artifact on, and stays when it has none left.",
  interfaces: [builder.nodeInterfaceRef()],
  fields: (t) => ({
    id: t.id({ description: "Opaque global id.", resolve: workflowGlobalId }),
    workflowId: t.exposeString("workflowId", { description: "Its name within its tenant." }),
    tenant: t.field({
      type: TenantType,
      description: "The tenant it ran for.",
      resolve: ({ tenantId }) => ({ tenantId }),
    }),
    artifacts: t.connection(
      {
        type: ArtifactType,
        description: "Its artifacts. A filter that names another tenant or workflow: BAD_USER_INPUT.",
        args: artifactListArguments,
        resolve: ({ tenantId, workflowId }, args, context) =>
          listArtifacts({ tenantId, workflowId }, args, context),
      },
      ArtifactConnection,
    ),
    tierStats: t.field({
      type: [TierStatsType],
      description: "What it has in each tier: always HOT, WARM, COLD, in this order.",
      resolve: async (workflow, _args, { reads }) =>
        (await reads.loaders.tierCountsOfWorkflow(workflow)).map((count) => ({
          count,
          tenantId: workflow.tenantId,
        })),
    }),
  }),
});
