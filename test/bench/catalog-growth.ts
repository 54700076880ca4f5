// Measures the catalog's reads and writes at 1,000 artifacts and at a million, and prints the ratios.
//
//   node test/bench/catalog-growth.ts [rows] [writes]
//
// 1,000 tenants with four workflows each, random names, a fifth of the artifacts overwritten. Everything is measured
// in this process, on one thread. Small and large alternate, so other load on the machine affects both equally.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { SqliteReader } from "../../server/src/catalog/sqlite/reads/reader.ts";
import { SqliteWriter } from "../../server/src/catalog/sqlite/writes/writer.ts";
import {
  FILLED_FROM,
  fillCatalog,
  filledUntil,
  type Key,
  random,
  randomKey,
  TENANTS,
  write,
} from "./fill-catalog.ts";

const SMALL = 1_000;
const GROUP = 64;
const ROUNDS = 200;

const [rowsArgument = "1000000", writesArgument = "16384"] = process.argv.slice(2);
const large = Number(rowsArgument);
const writes = Number(writesArgument);

const folder = mkdtempSync(join(tmpdir(), "tierkeep-growth-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

interface Filled {
  readonly path: string;
  readonly reader: SqliteReader;
  readonly keys: readonly Key[];
  readonly newest: number;
}

function filled(name: string, rows: number): Filled {
  const path = join(folder, name);
  const began = performance.now();
  const keys = fillCatalog(path, rows);
  console.error(`filled ${rows} rows in ${((performance.now() - began) / 1_000).toFixed(0)} s`);
  return {
    path,
    keys,
    reader: new SqliteReader({ path, cacheKiB: 16 * 1024 }),
    newest: filledUntil(rows),
  };
}

const between = <T>(after: T | null, limit = 100) => ({ after, before: null, limit, backward: false });
const someKey = ({ keys }: Filled) => keys[random(keys.length)] ?? randomKey();
const someInstant = ({ newest }: Filled) => FILLED_FROM + random(newest - FILLED_FROM);

const reads: Record<string, (of: Filled) => unknown> = {
  "page of 100 in key order, from anywhere": (of) =>
    of.reader.artifacts.listArtifacts({}, { field: "KEY", direction: "ASC" }, between({ key: someKey(of) })),
  "page of 100 of a tenant in key order": (of) =>
    of.reader.artifacts.listArtifacts(
      { tenantId: someKey(of).tenantId },
      { field: "KEY", direction: "ASC" },
      between(null, 1),
    ),
  "page of 100 in age order, from anywhere": (of) =>
    of.reader.artifacts.listArtifacts(
      {},
      { field: "AGE", direction: "DESC" },
      { ...between({ value: someInstant(of), row: 0 }), backward: random(2) === 0 },
    ),
  "newest of a tenant in age order": (of) =>
    of.reader.artifacts.listArtifacts(
      { tenantId: someKey(of).tenantId },
      { field: "AGE", direction: "ASC" },
      between(null, 1),
    ),
  "stats of all tiers": (of) => [of.reader.held.held(), of.reader.held.countTenants("HOT")],
  "stats of 100 tenants": (of) =>
    of.reader.held.usageByTenants(Array.from({ length: 100 }, () => `tenant-${random(TENANTS)}`)),
  "a batch of 100 that are due": (of) =>
    of.reader.artifacts.due("WARM", null, of.newest, { ageSince: someInstant(of), row: 0 }, 100),
  "one artifact": (of) => of.reader.artifacts.artifact(someKey(of)),
  "100 artifacts by key": (of) =>
    of.reader.artifacts.artifacts(Array.from({ length: 100 }, () => someKey(of))),
  "newest 50 events": (of) => of.reader.events.listEvents({}, "DESC", between(null, 50)),
  "newest event of a tenant": (of) =>
    of.reader.events.listEvents({ tenantId: someKey(of).tenantId }, "DESC", between(null, 1)),
  "page of 50 tenants": (of) => of.reader.held.listTenants(null, between(`tenant-${random(TENANTS)}`, 50)),
};

function timed(run: () => unknown): number {
  const began = performance.now();
  run();
  return (performance.now() - began) * 1_000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function report(name: string, small: number, big: number, unit: string): void {
  const figures = `${small.toFixed(0).padStart(8)} ${big.toFixed(0).padStart(8)} ${unit.padEnd(3)}`;
  console.log(`${name.padEnd(42)} ${figures} ${(big / small).toFixed(2).padStart(7)}`);
}

function measureReads(few: Filled, many: Filled): void {
  for (const [name, read] of Object.entries(reads)) {
    const times: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      times[0].push(timed(() => read(few)));
      times[1].push(timed(() => read(many)));
    }
    report(name, median(times[0]), median(times[1]), "µs");
  }
}

function measureOpening(few: Filled, many: Filled): void {
  const open = (path: string) =>
    timed(() => {
      const writer = new SqliteWriter({ path, durability: "fsync" });
      new SqliteReader({ path, cacheKiB: 16 * 1024 }).close();
      writer.close();
    });
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < 20; round += 1) {
    times[0].push(open(few.path));
    times[1].push(open(many.path));
  }
  report("opening and closing", median(times[0]), median(times[1]), "µs");
}

/**
 * Measures the CPU time of this thread and the WAL bytes per write, without the content. Writes groups of new and
 * replaced artifacts, and settles and publishes each group afterwards.
 */
function measureWrites(of: Filled): void {
  const writer = new SqliteWriter({ path: of.path, durability: "fsync" });
  let cpu = 0;
  let wal = 0;
  let followUpCpu = 0;
  let longest = 0;
  const checkpoints: number[] = [];
  const db = new DatabaseSync(of.path);
  const frames = db.prepare("PRAGMA wal_checkpoint(NOOP)");
  const { page_size: pageBytes } = db.prepare("PRAGMA page_size").get() as { page_size: number };
  const walBytes = () => (frames.get() as { log: number }).log * (pageBytes + 24);
  for (let done = 0; done < writes; done += GROUP) {
    const group = Array.from({ length: GROUP }, (_, n) =>
      write(n % 5 === 4 ? someKey(of) : randomKey(), of.newest + done),
    );
    const walBefore = walBytes();
    const before = process.threadCpuUsage();
    const began = performance.now();
    const { outcomes } = writer.run(group);
    longest = Math.max(longest, performance.now() - began);
    const used = process.threadCpuUsage(before);
    cpu += used.user + used.system;
    // The WAL restarts from its beginning after a checkpoint of all of it.
    const walAfter = walBytes();
    wal += walAfter < walBefore ? walAfter : walAfter - walBefore;
    const beforeMore = process.threadCpuUsage();
    const versions = outcomes.map((outcome) =>
      outcome.ok ? (outcome.result as { artifact: { version: number } }) : null,
    );
    writer.run(group.map(({ key, object }) => ({ kind: "settled", key, object })));
    writer.run(
      group.map(({ key }, n) => ({ kind: "published", key, version: versions[n]?.artifact.version ?? 0 })),
    );
    const usedMore = process.threadCpuUsage(beforeMore);
    followUpCpu += usedMore.user + usedMore.system;
    checkpoints.push(timed(() => writer.checkpointIfLong()));
  }
  db.close();
  writer.close();
  console.log(`\nwrites in groups of ${GROUP} at ${of.keys.length} artifacts, ${writes} of them:`);
  console.log(
    `  CPU of the writer     ${(cpu / writes).toFixed(1)} µs a write, and ${(followUpCpu / writes).toFixed(1)} µs to settle and publish it`,
  );
  console.log(
    `  WAL                   ${(wal / writes / 1_024).toFixed(2)} KiB a write, without the content`,
  );
  console.log(`  longest group         ${longest.toFixed(1)} ms, fsync included`);
  console.log(`  longest checkpoint    ${(Math.max(...checkpoints) / 1_000).toFixed(1)} ms, between groups`);
}

const few = filled("small.db", SMALL);
const many = filled("large.db", large);
console.log(`${"".padEnd(42)} ${String(SMALL).padStart(8)} ${String(large).padStart(8)}       ratio`);
measureReads(few, many);
few.reader.close();
many.reader.close();
measureOpening(few, many);
measureWrites(many);
