import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createTierkeep } from "@tierkeep/sdk";
import { downloadFile } from "@tierkeep/sdk/node";

const tierkeep = createTierkeep({ url: process.env.TIERKEEP_URL ?? "http://127.0.0.1:4000/graphql" });
const [folder = "backup"] = process.argv.slice(2);

let count = 0;
// A file appears under its name when it is complete and verified. To copy to a bucket, pass
// `(await tierkeep.download(artifact)).stream` to the bucket's client.
for await (const artifact of tierkeep.artifacts({ where: { tenantId: "acme", tiers: ["COLD"] } })) {
  const directory = join(folder, artifact.tenantId, artifact.workflowId);
  await mkdir(directory, { recursive: true });
  await downloadFile(tierkeep, artifact, join(directory, artifact.artifactId));
  count += 1;
  console.log(artifact.workflowId, artifact.artifactId, artifact.sizeBytes);
}
if (count === 0) console.error("acme has no cold artifacts. Write one with tier COLD first.");
