import { createTierkeep } from "@tierkeep/sdk";

const tierkeep = createTierkeep({ url: process.env.TIERKEEP_URL ?? "http://127.0.0.1:4000/graphql" });

// Every artifact of the tenant in that tier, a page at a time, however many there are.
for await (const artifact of tierkeep.artifacts({ where: { tenantId: "acme", tiers: ["WARM"] } })) {
  const { workflowId, artifactId, sizeBytes, ageDays } = artifact;
  console.log(`${workflowId}/${artifactId}: ${sizeBytes} bytes, ${ageDays.toFixed(1)} days`);
}
