// Measures the cost of the audit log's hash chain and signatures, as ratios to writing and syncing the same lines
// without them. Also compares the verification of the log with SHA-256 over the same bytes.
//
//   npm run bench -- audit [EVENTS]
import { hash } from "node:crypto";
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { AuditLog } from "../../server/src/audit/audit-log.ts";
import { lineFields } from "../../server/src/audit/jsonl-line.ts";
import { newKeyPem, PublicKeys, signingKey } from "../../server/src/audit/signing-key.ts";
import { verifyLog } from "../../server/src/audit/verify.ts";
import { removeDirectory, temporaryDirectory } from "../support/server.ts";

type LifecycleEvent = Parameters<AuditLog["append"]>[0][number];

const ROUNDS = 3;
const count = Number(process.argv[2] ?? 100_000);
const key = signingKey(newKeyPem());

function event(seq: number): LifecycleEvent {
  return {
    seq,
    timestamp: Date.UTC(2026, 0, 1) + seq,
    type: "ARTIFACT_WRITTEN",
    actor: "bench",
    tenantId: "acme",
    workflowId: "nightly",
    artifactId: `artifact-${seq}`,
    fromTier: null,
    toTier: "HOT",
    ageDays: null,
    sizeBytes: seq,
    checksum: hash("sha256", String(seq)),
    dryRun: false,
    jobId: null,
    errorCode: null,
    error: null,
  };
}

function* batches(events: number, size: number): Generator<LifecycleEvent[]> {
  for (let from = 1; from <= events; from += size) {
    yield Array.from({ length: Math.min(size, events - from + 1) }, (_, index) => event(from + index));
  }
}

/** Returns the events a second that are written and synced in batches, without chain and signatures. */
async function plain(directory: string, events: number, size: number): Promise<number> {
  const file = openSync(join(directory, "plain.jsonl"), "w");
  const began = performance.now();
  for (const batch of batches(events, size)) {
    writeSync(
      file,
      batch.map((each) => `${JSON.stringify({ seq: each.seq, ...lineFields(each, each.jobId) })}\n`).join(""),
    );
    fsyncSync(file);
  }
  const seconds = (performance.now() - began) / 1000;
  closeSync(file);
  return events / seconds;
}

async function chained(directory: string, events: number, size: number): Promise<number> {
  const log = await AuditLog.open(
    {
      directory,
      key,
      segmentBytes: Number.POSITIVE_INFINITY,
      eventsAfter: async function* () {},
      sync: (handle) => handle.sync(),
    },
    null,
  );
  const began = performance.now();
  for (const batch of batches(events, size)) await log.append(batch);
  const seconds = (performance.now() - began) / 1000;
  await log.close();
  return events / seconds;
}

for (const [size, events] of [
  [500, count],
  [1, Math.min(count, 2000)],
] as const) {
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const directory = await temporaryDirectory();
    const without = await plain(directory, events, size);
    const linked = await chained(directory, events, size);
    ratios.push(without / linked);
    if (size > 1 && round === ROUNDS - 1) await verifying(directory, events);
    await removeDirectory(directory);
  }
  console.log(
    `export, ${size} events a batch: ${median(ratios).toFixed(2)} times as long as without chain and signatures`,
  );
}

async function verifying(directory: string, events: number): Promise<void> {
  const began = performance.now();
  const { problem, lines } = await verifyLog({ directory, keys: new PublicKeys(key.publicPem) });
  const seconds = (performance.now() - began) / 1000;
  if (problem !== null || lines !== events) throw new Error(JSON.stringify(problem));
  const bytes = Buffer.concat(
    readdirSync(directory)
      .filter((name) => name.startsWith("lifecycle_events"))
      .map((name) => readFileSync(join(directory, name))),
  );
  const hashing = performance.now();
  hash("sha256", bytes);
  const alone = (performance.now() - hashing) / 1000;
  console.log(
    `verify: ${Math.round(events / seconds)} lines a second, ${(seconds / alone).toFixed(1)} times as long as SHA-256 over the same bytes`,
  );
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
