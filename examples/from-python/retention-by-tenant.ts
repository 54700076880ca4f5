import { createTierkeep } from "@tierkeep/sdk";

const tierkeep = createTierkeep({ url: process.env.TIERKEEP_URL ?? "http://127.0.0.1:4000/graphql" });
const DAYS_HOT = new Map([["acme", 14]]);
const OTHERS = 7;
/** Ages are computed for now, or for the instant in the first argument. */
const [asOf] = process.argv.slice(2);

// The server has one policy for all tenants. Set its HOT_RETENTION_DAYS to the longest of these times, here 14. Its runs
// then move artifacts older than that, and this program moves those of other tenants earlier.
for await (const { tenantId } of tierkeep.tenants()) {
  const olderThanDays = DAYS_HOT.get(tenantId) ?? OTHERS;
  let moved = 0;
  for await (const artifact of tierkeep.artifacts({
    where: { tenantId, tiers: ["HOT"], olderThanDays, asOf },
  })) {
    const { workflowId, artifactId, checksum } = artifact;
    // ifChecksum rejects the move if the artifact was overwritten after it was listed.
    await tierkeep.promoteArtifact({
      tenantId,
      workflowId,
      artifactId,
      toTier: "WARM",
      ifChecksum: checksum,
    });
    moved += 1;
  }
  console.log(tenantId, olderThanDays, "days:", moved, "moved");
}
