import { createTierkeep } from "@tierkeep/sdk";

const tierkeep = createTierkeep({ url: process.env.TIERKEEP_URL ?? "http://127.0.0.1:4000/graphql" });

const { job } = await tierkeep.runLifecycle({ dryRun: true });
const run = await job.finished();
console.log("promoted to warm:", run.promotedToWarm);
console.log("promoted to cold:", run.promotedToCold);
console.log("purged:", run.purged);
console.log("errors:", run.totalErrors);

// The items that the run moved or purged; in a dry run, the items that a live run would.
for await (const item of tierkeep.lifecycleJobItems({ id: run.id })) {
  console.log(item.step, item.tenantId, item.workflowId, item.artifactId, item.outcome);
}
