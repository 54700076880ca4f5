import { createTierkeep } from "@tierkeep/sdk";

const tierkeep = createTierkeep({ url: process.env.TIERKEEP_URL ?? "http://127.0.0.1:4000/graphql" });
const key = { tenantId: "acme", workflowId: "weekly", artifactId: "report.md" };

// In whichever tier it is. Null: there is none; a download would then be refused with ArtifactNotFoundError.
const artifact = await tierkeep.artifact(key);
if (artifact === null) console.error("There is no acme/weekly/report.md. Run write.ts first.");
else console.log(artifact.metadata.author, artifact.tier, await (await tierkeep.download(key)).text());
