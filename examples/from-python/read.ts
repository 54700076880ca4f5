import { createTierkeep } from "@tierkeep/sdk";

const tierkeep = createTierkeep({ url: process.env.TIERKEEP_URL ?? "http://127.0.0.1:4000/graphql" });
const key = { tenantId: "acme", workflowId: "weekly", artifactId: "report.md" };

// The tier need not be known. Null means that there is no such artifact; a download would throw ArtifactNotFoundError.
const artifact = await tierkeep.artifact(key);
if (artifact === null) console.error("There is no acme/weekly/report.md. Run write.ts first.");
else console.log(artifact.metadata.author, artifact.tier, await (await tierkeep.download(key)).text());
