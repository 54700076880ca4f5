import { createTierkeep } from "@tierkeep/sdk";

const tierkeep = createTierkeep({ url: process.env.TIERKEEP_URL ?? "http://127.0.0.1:4000/graphql" });
const key = { tenantId: "acme", workflowId: "weekly", artifactId: "report.md" };

// Whatever tier it is in. Null where there is none; a download of none is refused with ArtifactNotFoundError.
const artifact = await tierkeep.artifact(key);
const content = await tierkeep.download(key);
console.log(artifact?.metadata.author, artifact?.tier, await content.text());
