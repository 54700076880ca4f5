import { createTierkeep } from "@tierkeep/sdk";

const tierkeep = createTierkeep({ url: process.env.TIERKEEP_URL ?? "http://127.0.0.1:4000/graphql" });

// One job restores all matching artifacts. It survives a server restart and can be cancelled.
const { job } = await tierkeep.restoreArtifacts({
  where: { tenantId: "acme", workflowId: "weekly", tiers: ["WARM"] },
  toTier: "HOT",
});
const ended = await job.finished();
console.log(ended.status, ended.restoredCount, "restored,", ended.totalErrors, "failed");
