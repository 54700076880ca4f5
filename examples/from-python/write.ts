import { createTierkeep } from "@tierkeep/sdk";

const tierkeep = createTierkeep({ url: process.env.TIERKEEP_URL ?? "http://127.0.0.1:4000/graphql" });

const { artifact, created } = await tierkeep.upload(
  { tenantId: "acme", workflowId: "weekly", artifactId: "report.md" },
  "# Weekly report\n",
  { tier: "HOT", metadata: { author: "Ada", week: 48 } },
);
console.log(created ? "created" : "replaced", artifact.artifactId, artifact.checksum);
