import { ArtifactNotFoundError, createTierkeep } from "@tierkeep/sdk";

const tierkeep = createTierkeep({ url: process.env.TIERKEEP_URL ?? "http://127.0.0.1:4000/graphql" });
const key = { tenantId: "acme", workflowId: "weekly", artifactId: "report.md" };

try {
  for (const dryRun of [true, false]) {
    const moved = await tierkeep.promoteArtifact({ ...key, fromTier: "HOT", toTier: "WARM", dryRun });
    console.log(dryRun ? "would move" : "moved", moved.fromTier, "to", moved.toTier);
  }
} catch (error) {
  if (!(error instanceof ArtifactNotFoundError)) throw error;
  console.error("There is no acme/weekly/report.md. Run write.ts first.");
}
