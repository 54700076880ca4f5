import { builder } from "../types/builder.ts";

export const ArtifactKeyInput = builder.inputType("ArtifactKeyInput", {
  description:
    "The key of one artifact. Each part has 1 to 200 bytes of UTF-8, without slashes or other characters that file systems forbid, else INVALID_IDENTIFIER.",
  fields: (t) => ({
    tenantId: t.string({ required: true, description: "First part of the key: the tenant." }),
    workflowId: t.string({ required: true, description: "Second part of the key: the workflow." }),
    artifactId: t.string({ required: true, description: "Last part of the key: the artifact." }),
  }),
});
