// Measures the time from the start of `serve` to its ready message, with an empty store and with a filled one.
// Prints it as a ratio to the start of an empty Node process, measured alternately in the same run.
//
//   npm run bench -- ready [rows]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { residentMiB } from "../support/resident-memory.ts";
import { removeDirectory, startServer, temporaryDirectory } from "../support/server.ts";
import { fillCatalog } from "./fill-catalog.ts";

const ROUNDS = 7;
const rows = Number(process.argv[2] ?? 1_000_000);

const empty = await storeIn(0);
const filled = await storeIn(rows);

const times: Record<"node" | "empty" | "filled", number[]> = { node: [], empty: [], filled: [] };
const memory: Record<"empty" | "filled", number> = { empty: 0, filled: 0 };
for (let round = 0; round < ROUNDS; round += 1) {
  times.node.push(await timed(startNode));
  for (const [name, dir] of [
    ["empty", empty],
    ["filled", filled],
  ] as const) {
    const began = performance.now();
    const server = await startServer({ dir });
    times[name].push(performance.now() - began);
    memory[name] = residentMiB(server.pid);
    await server.stop();
  }
}
await removeDirectory(empty);
await removeDirectory(filled);

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
const bare = median(times.node);
const line = (name: string, values: readonly number[], more = "") =>
  console.log(
    `${name.padEnd(36)} ${median(values).toFixed(0).padStart(6)} ms ${(median(values) / bare).toFixed(1).padStart(6)} ${more}`,
  );
console.log(`${`median of ${ROUNDS}`.padEnd(36)} ${"".padStart(9)}  ratio`);
line("node -e ''", times.node);
line("ready, empty store", times.empty, ` ${memory.empty.toFixed()} MiB resident`);
line(`ready, ${rows} artifacts`, times.filled, ` ${memory.filled.toFixed()} MiB resident`);

/** Creates a store that was served before and has no pending work. */
async function storeIn(artifacts: number): Promise<string> {
  const dir = await temporaryDirectory();
  const server = await startServer({ dir });
  await server.stop();
  if (artifacts === 0) return dir;
  const began = performance.now();
  fillCatalog(join(dir, "artifacts", ".tierkeep", "catalog.db"), artifacts);
  console.error(`filled ${artifacts} rows in ${((performance.now() - began) / 1_000).toFixed()} s`);
  await server.restart();
  const log = join(dir, "logs", "lifecycle_events.jsonl");
  for (let before = -1, size = 0; size !== before; ) {
    before = size;
    await pause(3_000);
    size = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  }
  await server.stop();
  return dir;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function startNode(): Promise<void> {
  await once(spawn(process.execPath, ["-e", ""], { stdio: "ignore" }), "exit");
}
