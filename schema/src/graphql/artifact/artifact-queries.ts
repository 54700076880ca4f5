import { requireKey } from "../../domain/identifiers.ts";
import { MAX_KEYS, requireKeys } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { ArtifactConnection, ArtifactType } from "../types/references.ts";
import { ArtifactKeyInput } from "./artifact-key.ts";
import { artifactListArguments, listArtifacts } from "./artifact-list.ts";

builder.queryFields((t) => ({
  artifact: t.field({
    needs: "read",
    type: ArtifactType,
    nullable: true,
    description: "The artifact of this key, in whichever tier. Null: there is none.",
    args: {
      tenantId: t.arg.string({ required: true, description: "First part of the key." }),
      workflowId: t.arg.string({ required: true, description: "Second part of the key." }),
      artifactId: t.arg.string({ required: true, description: "Last part of the key." }),
    },
    resolve: (_root, key, { reads }) => reads.loaders.artifact(requireKey(key)),
  }),
  artifactsByKey: t.field({
    needs: "read",
    type: [ArtifactType],
    nullable: { list: false, items: true },
    description: "The artifacts of these keys, in the order of the keys; null where there is none.",
    args: {
      keys: t.arg({
        type: [ArtifactKeyInput],
        required: true,
        description: `1 to ${MAX_KEYS} keys, else BAD_USER_INPUT. One that breaks the naming rule refuses the request: INVALID_IDENTIFIER.`,
      }),
    },
    resolve: (_root, { keys }, { reads }) =>
      requireKeys(keys, "keys").map((key) => reads.loaders.artifact(key)),
  }),
  artifacts: t.connection(
    {
      needs: "read",
      type: ArtifactType,
      description: "Artifacts of all tenants that you may see.",
      args: artifactListArguments,
      resolve: (_root, args, context) => listArtifacts({}, args, context),
    },
    ArtifactConnection,
  ),
}));
