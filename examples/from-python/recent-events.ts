import { createTierkeep } from "@tierkeep/sdk";

const tierkeep = createTierkeep({ url: process.env.TIERKEEP_URL ?? "http://127.0.0.1:4000/graphql" });

// Newest first. Events of purged artifacts are included.
const { nodes } = await tierkeep.lifecycleEventHistory({ where: { tenantId: "acme" }, first: 20 });
for (const event of nodes) console.log(event.type, event.workflowId, event.artifactId, event.actor);
if (nodes.length === 0) console.error("acme has no events. Run write.ts first.");
