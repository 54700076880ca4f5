import { createTierkeep } from "@tierkeep/sdk";

const tierkeep = createTierkeep({ url: process.env.TIERKEEP_URL ?? "http://127.0.0.1:4000/graphql" });

let count = 0;
// Every artifact of the tenant in that tier, a page at a time, however many there are.
for await (const artifact of tierkeep.artifacts({ where: { tenantId: "acme", tiers: ["WARM"] } })) {
  const { workflowId, artifactId, sizeBytes, ageDays } = artifact;
  count += 1;
  console.log(`${workflowId}/${artifactId}: ${sizeBytes} bytes, ${ageDays.toFixed(1)} days`);
}
if (count === 0) console.error("acme has no artifacts in warm. Run write.ts and promote.ts first.");
