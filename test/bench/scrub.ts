// Measures what the scrubber costs readers. Compares point reads of a server that scrubs without a pause between
// passes with those of a server that does not scrub, alternately, on stores with the same artifacts.
//
//   npm run bench -- scrub [READS]
import process from "node:process";
import { createTierkeep } from "@tierkeep/sdk";
import { sendRaw } from "../support/raw-http.ts";
import { type Server, startServer } from "../support/server.ts";

const ROUNDS = 5;
const reads = Number(process.argv[2] ?? 500);
const ARTIFACTS = 400;
const SIZE = 256 * 1024;

const names = Array.from({ length: ARTIFACTS }, (_, index) => `a${index}`);
const key = (artifactId: string) => ({ tenantId: "bench", workflowId: "w", artifactId });

async function filled(scrubDays: string): Promise<Server> {
  const server = await startServer({ env: { SCRUB_DAYS: scrubDays } });
  const tierkeep = createTierkeep({ url: server.url });
  for (const name of names) await tierkeep.upload(key(name), Buffer.alloc(SIZE, `${name} `));
  return server;
}

async function scrubbed(server: Server): Promise<number> {
  const text = (await sendRaw(server, { path: "/metrics" })).body.toString();
  return Number(/^tierkeep_scrub_bytes_total (\d+)/m.exec(text)?.[1] ?? 0);
}

/** Returns the duration of each read in ms. */
async function timed(read: (name: string) => Promise<unknown>): Promise<readonly number[]> {
  const times: number[] = [];
  for (let index = 0; index < reads; index += 1) {
    const began = performance.now();
    await read(names[(index * 7) % ARTIFACTS] as string);
    times.push(performance.now() - began);
  }
  return times;
}

await using on = await filled("0");
await using off = await filled("never");
const servers = { on, off };
const kinds = {
  "a point query": (server: Server) => {
    const tierkeep = createTierkeep({ url: server.url });
    return (name: string) => tierkeep.artifact(key(name));
  },
  "a download of 256 KiB": (server: Server) => (name: string) =>
    fetch(`${server.origin}/artifacts/bench/w/${name}`).then((response) => response.arrayBuffer()),
};

const before = await scrubbed(on);
const began = performance.now();
for (const [kind, readOf] of Object.entries(kinds)) {
  const times = { on: [] as number[], off: [] as number[] };
  // Alternate the servers, so other load on the machine affects both equally.
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of ["off", "on"] as const) times[name].push(...(await timed(readOf(servers[name]))));
  }
  for (const [what, at] of [
    ["median", 0.5],
    ["99th of 100", 0.99],
  ] as const) {
    const [withIt, without] = [quantile(times.on, at), quantile(times.off, at)];
    console.log(
      `${kind}, ${what}`.padEnd(36),
      `${without.toFixed(2)} ms without, ${withIt.toFixed(2)} ms with the scrubber: ratio ${(withIt / without).toFixed(2)}`,
    );
  }
}
const seconds = (performance.now() - began) / 1000;
const bytes = (await scrubbed(on)) - before;
console.log(`The scrubber read ${(bytes / 2 ** 20 / seconds).toFixed(2)} MiB a second (at most 16).`);
for (const server of [on, off]) await server.stop();

function quantile(values: readonly number[], at: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * at)] ?? 0;
}
