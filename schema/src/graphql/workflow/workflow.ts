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
import { FolderEntryConnection, listFolder } from "./folder.ts";

WorkflowType.implement({
  description:
    "A workflow of a tenant: the producer of artifacts. It exists from its first artifact on, and remains after its last artifact is deleted.",
  interfaces: [builder.nodeInterfaceRef()],
  fields: (t) => ({
    id: t.id({ description: "Opaque global id.", resolve: workflowGlobalId }),
    workflowId: t.exposeString("workflowId", {
      description: "The workflow's name, unique within its tenant.",
    }),
    tenant: t.field({
      type: TenantType,
      description: "The tenant that the workflow belongs to.",
      resolve: ({ tenantId }) => ({ tenantId }),
    }),
    artifacts: t.connection(
      {
        type: ArtifactType,
        description:
          "The workflow's artifacts. A filter that names another tenant or workflow: BAD_USER_INPUT.",
        args: artifactListArguments,
        resolve: ({ tenantId, workflowId }, args, context) =>
          listArtifacts({ tenantId, workflowId }, args, context),
      },
      ArtifactConnection,
    ),
    folder: t.field({
      type: FolderEntryConnection,
      description:
        "The folders and artifacts one level below a prefix, in the order of artifact ids by Unicode code point. A folder is ordered by its prefix. It reads one index entry per row of the page, whatever the folders contain.",
      args: {
        prefix: t.arg.string({
          required: true,
          defaultValue: "",
          description:
            'The folder to list: empty, or ending in "/", such as `plots/2026/`. Otherwise: BAD_USER_INPUT. A folder that does not exist is empty.',
        }),
        first: t.arg.int({ description: "Number of entries, 0 to 500. Default: 50." }),
        after: t.arg.string({ description: "List entries after this cursor." }),
      },
      resolve: listFolder,
    }),
    tierStats: t.field({
      type: [TierStatsType],
      description:
        "The workflow's artifact counts and bytes in each tier: always HOT, WARM, COLD, in this order.",
      resolve: async (workflow, _args, { reads }) =>
        (await reads.loaders.tierCountsOfWorkflow(workflow)).map((count) => ({
          count,
          tenantId: workflow.tenantId,
        })),
    }),
  }),
});
