// Uses the packed SDK as an application does, in Node, Bun or Deno, and prints the results as JSON.
// Arguments: the endpoint, an unused tenant, a folder for its files.
import { ArtifactNotFoundError, createTierkeep } from "@tierkeep/sdk";
import { downloadTree, uploadTree } from "@tierkeep/sdk/node";

const [url, tenantId, folder] = process.argv.slice(2);
const tierkeep = createTierkeep({ url });
const key = { tenantId, workflowId: "tour", artifactId: "note.txt" };

const after = await tierkeep.lifecycleEventCursor();
const events = tierkeep.lifecycleEvents({ where: { tenantId }, after });
const { created } = await tierkeep.upload(key, new Blob(["naïve"]), { metadata: { run: 1 } });
const first = await events.next();
await events.return();

const listed = [];
for await (const { artifactId } of tierkeep.artifacts({ where: { tenantId }, first: 1 }))
  listed.push(artifactId);

const { job } = await tierkeep.restoreArtifacts({ where: { tenantId }, toTier: "HOT", waitSeconds: 0 });
const ended = await job.finished();

const progress = [];
const text = await (await tierkeep.download(key, { onProgress: (now) => progress.push(now) })).text();

await tierkeep.upload({ ...key, artifactId: "sub__b.txt" }, "b", { metadata: { path: "sub/b.txt" } });
const down = await downloadTree(tierkeep, key, `${folder}/down`);
const up = await uploadTree(tierkeep, { tenantId, workflowId: "again" }, `${folder}/down`);

const missing = await tierkeep.download({ ...key, artifactId: "none" }).catch((error) => error);

console.log(
  JSON.stringify({
    created,
    event: first.value.type,
    listed,
    job: ended.status,
    text,
    progress: progress.at(-1),
    down,
    up,
    missing: [missing instanceof ArtifactNotFoundError, missing.name, missing.code],
  }),
);
