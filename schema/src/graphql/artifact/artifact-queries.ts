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
    description: "The artifact with this key, in any tier. Null if there is none.",
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
    description:
      "The artifacts with these keys, in the order of the keys. An entry is null if there is no such artifact.",
    args: {
      keys: t.arg({
        type: [ArtifactKeyInput],
        required: true,
        description: `1 to ${MAX_KEYS} keys, else BAD_USER_INPUT. If one key breaks the naming rule, the request fails with INVALID_IDENTIFIER.`,
      }),
    },
    resolve: (_root, { keys }, { reads }) =>
      requireKeys(keys, "keys").map((key) => reads.loaders.artifact(key)),
  }),
  artifacts: t.connection(
    {
      needs: "read",
      type: ArtifactType,
      description: "Artifacts of all tenants that the caller may see.",
      args: artifactListArguments,
      resolve: (_root, args, context) => listArtifacts({}, args, context),
    },
    ArtifactConnection,
  ),
}));
