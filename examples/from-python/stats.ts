import { createTierkeep } from "@tierkeep/sdk";

const tierkeep = createTierkeep({ url: process.env.TIERKEEP_URL ?? "http://127.0.0.1:4000/graphql" });
const LIMIT_BYTES = 100 * 1024 ** 3;

for (const { tier, artifactCount, totalBytes, tenantCount } of await tierkeep.tierStats()) {
  console.log(`${tier}: ${artifactCount} artifacts, ${totalBytes} bytes, ${tenantCount} tenants`);
  if (tier === "HOT" && totalBytes > LIMIT_BYTES) console.error("The hot tier holds more than 100 GiB.");
}
