import { builder } from "../types/builder.ts";

export const ArtifactKeyInput = builder.inputType("ArtifactKeyInput", {
  description:
    "Names one artifact. Each part is 1 to 200 bytes of UTF-8 and may not hold a slash or other characters that file systems forbid, else INVALID_IDENTIFIER.",
  fields: (t) => ({
    tenantId: t.string({ required: true, description: "The tenant." }),
    workflowId: t.string({ required: true, description: "The workflow." }),
    artifactId: t.string({ required: true, description: "The artifact." }),
  }),
});
