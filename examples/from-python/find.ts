import { createTierkeep } from "@tierkeep/sdk";

const tierkeep = createTierkeep({ url: process.env.TIERKEEP_URL ?? "http://127.0.0.1:4000/graphql" });

let count = 0;
// One list covers all workflows and tiers, because an artifact is in exactly one tier.
for await (const artifact of tierkeep.artifacts({ where: { tenantId: "acme" } })) {
  if (artifact.artifactId !== "report.md") continue;
  const { tier, workflowId, nextTransition } = artifact;
  count += 1;
  console.log(tier, workflowId, nextTransition?.action ?? "stays");
}

if (count === 0) console.error("acme has no report.md. Run write.ts first.");

// Artifacts can be found by metadata as well.
const where = { tenantId: "acme", metadata: { author: "Ada" } };
for await (const { workflowId, artifactId } of tierkeep.artifacts({ where }))
  console.log(workflowId, artifactId);
