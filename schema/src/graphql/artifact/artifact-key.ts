import { builder } from "../types/builder.ts";

export const ArtifactKeyInput = builder.inputType("ArtifactKeyInput", {
  description:
    "The key of one artifact. `tenantId` and `workflowId` have 1 to 200 bytes of UTF-8, without slashes or other characters that file systems forbid. `artifactId` is 1 to 32 such segments joined by slashes, such as `plots/2026/sales.svg`, with at most 600 bytes in all. Otherwise: INVALID_IDENTIFIER.",
  fields: (t) => ({
    tenantId: t.string({ required: true, description: "First part of the key: the tenant." }),
    workflowId: t.string({ required: true, description: "Second part of the key: the workflow." }),
    artifactId: t.string({ required: true, description: "Last part of the key: the artifact." }),
  }),
});
