// Measures the cost of a backup, alternately in one run:
// - its time, as a ratio to a plain copy of the same files with one sync at the end
// - the wait of small writes during a backup, as a ratio to their wait without one
// Then measures separately how long the copy of a catalog delays a commit, which depends only on SQLite.
//
//   npm run bench -- backup [SMALL] [LARGE]      files of 10 KiB, and of 20 MiB
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createTierkeep } from "@tierkeep/sdk";
import { forEachOf } from "../support/client.ts";
import { removeDirectory, runCommand, startServer, temporaryDirectory } from "../support/server.ts";

const ROUNDS = 5;
const WRITERS = 8;
const [small = 2_000, large = 10] = process.argv.slice(2).map(Number);

const work = await temporaryDirectory();
const server = await startServer();
const tierkeep = createTierkeep({ url: server.url });
const key = (artifactId: string) => ({ tenantId: "acme", workflowId: "bench", artifactId });
const sizes = [
  ...Array.from({ length: small }, () => 10_240),
  ...Array.from({ length: large }, () => 20 * 2 ** 20),
];
await forEachOf([...sizes.entries()], async ([index, size]) => {
  await tierkeep.upload(key(`stored-${index}`), randomBytes(size));
});
await server.stop();
await server.restart();

const seconds: Record<"cp" | "backup" | "snapshot", number[]> = { cp: [], backup: [], snapshot: [] };
const waits: Record<"without" | "with", number[]> = { without: [], with: [] };
for (let round = 0; round < ROUNDS; round += 1) {
  const into = join(work, `round-${round}`);
  seconds.cp.push(
    await timed(async () => {
      execFileSync("cp", ["-r", join(server.dir, "artifacts", ".tierkeep", "objects"), into]);
      execFileSync("sync", ["-f", into]);
    }),
  );
  rmSync(into, { recursive: true });
  for (const [name, more] of [
    ["backup", []],
    ["snapshot", ["--snapshot"]],
  ] as const) {
    seconds[name].push(await timed(() => backUp(into, more)));
    rmSync(into, { recursive: true });
  }
}
for (let round = 0; round < ROUNDS; round += 1) {
  const into = join(work, `round-${round}`);
  const began = performance.now();
  waits.with.push(...(await writing(() => backUp(into, []))));
  rmSync(into, { recursive: true });
  const took = performance.now() - began;
  waits.without.push(...(await writing(() => new Promise((resolve) => setTimeout(resolve, took)))));
}
await server.stop();
await server[Symbol.asyncDispose]();
await removeDirectory(work);

console.log(`${small} files of 10 KiB and ${large} of 20 MiB, median of ${ROUNDS}`);
for (const [name, own] of Object.entries(seconds)) {
  const ratio = quantile(own, 0.5) / quantile(seconds.cp, 0.5);
  console.log(
    `${name.padEnd(26)} ${quantile(own, 0.5).toFixed(2).padStart(8)} s  ${ratio.toFixed(2).padStart(6)}`,
  );
}
for (const share of [0.5, 0.99, 1]) {
  const [without, during] = [quantile(waits.without, share), quantile(waits.with, share)];
  const name = `write, ${share === 1 ? "longest" : `p${share * 100}`}`;
  console.log(
    `${name.padEnd(26)} ${without.toFixed(1).padStart(8)} ms without, ${during.toFixed(1).padStart(8)} ms with  ${(during / without).toFixed(2).padStart(6)}`,
  );
}

const catalog = await commitsDuringCopy();
console.log(
  `${`commit, ${catalog.mib} MiB catalog`.padEnd(26)} longest of ${catalog.commits}: ${catalog.longest.toFixed(1)} ms`,
);

/** Commits sequentially, without syncs, while another process copies the catalog. */
async function commitsDuringCopy() {
  const dir = await temporaryDirectory();
  const path = join(dir, "catalog.db");
  const mib = 200;
  const db = new DatabaseSync(path);
  db.exec(
    "PRAGMA page_size = 2048; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; CREATE TABLE filler (bytes)",
  );
  for (let n = 0; n < mib; n += 1) db.exec("INSERT INTO filler VALUES (zeroblob(1048576))");
  db.exec("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA wal_autocheckpoint = 0");
  const module = new URL("../../server/src/catalog/sqlite/catalog-copy.ts", import.meta.url);
  const code = `import { copyCatalog } from ${JSON.stringify(module)}; await copyCatalog(...process.argv.slice(1));`;
  const copying = spawn(
    process.execPath,
    ["--input-type=module", "--eval", code, path, join(dir, "copy.db")],
    {
      stdio: "inherit",
    },
  );
  let isOver = false;
  const ended = once(copying, "exit").finally(() => {
    isOver = true;
  });
  let [commits, longest] = [0, 0];
  for (; !isOver; commits += 1) {
    const began = performance.now();
    db.exec("INSERT INTO filler VALUES (1)");
    longest = Math.max(longest, performance.now() - began);
    await nextTurn();
  }
  const [exit] = await ended;
  db.close();
  await removeDirectory(dir);
  if (exit !== 0) throw new Error("the catalog could not be copied");
  return { mib, commits, longest };
}

async function backUp(into: string, more: readonly string[]): Promise<void> {
  const { code, stderr } = await runCommand(["backup", into, ...more], { cwd: server.dir });
  if (code !== 0) throw new Error(stderr);
}

async function timed(run: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await run();
  return (performance.now() - began) / 1_000;
}

/** Returns the wait of each write in ms. Several clients write until the given work is done. */
async function writing(meanwhile: () => Promise<unknown>): Promise<number[]> {
  const found: number[] = [];
  let isOver = false;
  const writers = Array.from({ length: WRITERS }, async (_, writer) => {
    for (let n = 0; !isOver; n += 1) {
      const began = performance.now();
      await tierkeep.writeArtifact({
        ...key(`written-${writer}-${n % 50}`),
        content: { text: "x".repeat(1_000) },
      });
      found.push(performance.now() - began);
    }
  });
  await meanwhile();
  isOver = true;
  await Promise.all(writers);
  return found;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
