// Measures the speed of large uploads and downloads, as ratios to the disk's and the processor's speed in the same
// run, and the memory that the server needs for them.
//
//   npm run bench -- transfer [MiB]
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { ReadableStream } from "node:stream/web";
import { generatedBytes } from "../support/generated-bytes.ts";
import { peakMiB } from "../support/resident-memory.ts";
import { startServer } from "../support/server.ts";

const ROUNDS = 3;
const sizeMiB = Number(process.argv[2] ?? 512);
const content = generatedBytes(sizeMiB * 2 ** 20);

await using server = await startServer();
const url = `${server.origin}/artifacts/bench/transfer/large.bin`;
const idleMiB = peakMiB(server.pid);

const work = {
  "sha-256 alone": async () => {
    const hash = createHash("sha256");
    for await (const piece of content.pieces()) hash.update(piece);
    return hash.digest("hex");
  },
  "raw write and fsync": async () => {
    const path = join(server.dir, "raw.bin");
    const file = openSync(path, "w");
    for await (const piece of content.pieces()) writeSync(file, piece);
    fsyncSync(file);
    closeSync(file);
    rmSync(path);
  },
  upload: async () => {
    const body = ReadableStream.from(content.pieces());
    const response = await fetch(url, { method: "PUT", body, duplex: "half" } as unknown as RequestInit);
    if (!response.ok) throw new Error(`upload: ${response.status} ${await response.text()}`);
    await response.body?.cancel();
  },
  download: async () => {
    const response = await fetch(url);
    let received = 0;
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) received += chunk.length;
    if (received !== content.sizeBytes) throw new Error(`download: ${received} bytes`);
  },
} satisfies Record<string, () => Promise<unknown>>;

type Name = keyof typeof work;
const names = Object.keys(work) as Name[];
const speeds = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;

// Alternate the measurements, so other load on the machine affects all equally.
for (let round = 0; round < ROUNDS; round += 1) {
  for (const name of names) {
    const began = performance.now();
    await work[name]();
    speeds[name].push(sizeMiB / ((performance.now() - began) / 1_000));
  }
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
const columns = ["sha-256 alone", "raw write and fsync"] as const;
console.log(
  `${sizeMiB} MiB, median of ${ROUNDS}`.padEnd(28),
  "MiB/s".padStart(7),
  ...columns.map((c) => `/ ${c}`),
);
for (const name of names) {
  const speed = median(speeds[name]);
  const ratios = columns.map((column) =>
    (speed / median(speeds[column])).toFixed(2).padStart(column.length + 2),
  );
  console.log(name.padEnd(28), speed.toFixed(0).padStart(7), ...ratios);
}
console.log(`server's memory at most ${peakMiB(server.pid).toFixed()} MiB, ${idleMiB.toFixed()} MiB before`);
await server.stop();
