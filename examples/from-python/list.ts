import { createTierkeep } from "@tierkeep/sdk";

const tierkeep = createTierkeep({ url: process.env.TIERKEEP_URL ?? "http://127.0.0.1:4000/graphql" });

let count = 0;
// Iterates over all of the tenant's warm artifacts; pages are requested as needed.
for await (const artifact of tierkeep.artifacts({ where: { tenantId: "acme", tiers: ["WARM"] } })) {
  const { workflowId, artifactId, sizeBytes, ageDays } = artifact;
  count += 1;
  console.log(`${workflowId}/${artifactId}: ${sizeBytes} bytes, ${ageDays.toFixed(1)} days`);
}
if (count === 0) console.error("acme has no warm artifacts. Run write.ts and promote.ts first.");
