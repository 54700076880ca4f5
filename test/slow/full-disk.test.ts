import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, openSync, readFileSync, rmSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createTierkeep, type Tierkeep } from "@tierkeep/sdk";
import { afterAll, beforeAll, expect, it } from "vitest";
import { removeDirectory, startServer, temporaryDirectory } from "../support/server.ts";

const DISK_MIB = 48;
const key = (artifactId: string) => ({ tenantId: "acme", workflowId: "nightly", artifactId });

let disk: string;
let mounted = false;

beforeAll(async () => {
  disk = await temporaryDirectory();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_MIB}m`, "tierkeep-test", disk]);
  } catch (error) {
    throw new Error("This test needs a file system of its own: run it as a user who may mount one (root).", {
      cause: error,
    });
  }
  mounted = true;
});

// A lazy unmount, because the server of an aborted test may still use the file system.
function unmount(): void {
  if (mounted) execFileSync("umount", ["--lazy", disk]);
  mounted = false;
}

process.on("exit", unmount);

afterAll(async () => {
  unmount();
  await removeDirectory(disk);
});

function freeBytes(): number {
  const { bavail, bsize } = statfsSync(disk);
  return bavail * bsize;
}

/** Fills the disk up to the last block. */
function fillUp(name: string): void {
  const file = openSync(join(disk, name), "a");
  const chunk = Buffer.alloc(64 * 1024, 1);
  for (let size = chunk.length; size >= 512; size >>= 1) {
    try {
      for (;;) writeSync(file, chunk.subarray(0, size));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }
  closeSync(file);
}

function linesOf(type: string): string[] {
  const log = readFileSync(join(disk, "logs/lifecycle_events.jsonl"), "utf8");
  return log.split("\n").filter((line) => line.includes(`"${type}"`));
}

/** Returns null if the upload succeeds, otherwise the error. */
function upload(tierkeep: Tierkeep, name: string, bytes: Buffer): Promise<Error | null> {
  return tierkeep.upload(key(name), bytes).then(
    () => null,
    (error: Error) => error,
  );
}

/** Writes until a write fails, adds acknowledged artifacts to `stored`, and returns the error. */
async function writeUntilFull(
  tierkeep: Tierkeep,
  prefix: string,
  sizeBytes: number,
  stored: Map<string, Buffer>,
) {
  for (let index = 0; ; index++) {
    const bytes = randomBytes(sizeBytes);
    const refused = await upload(tierkeep, `${prefix}-${index}`, bytes);
    if (refused) return refused;
    stored.set(`${prefix}-${index}`, bytes);
  }
}

async function expectToRead(tierkeep: Tierkeep, stored: ReadonlyMap<string, Buffer>): Promise<void> {
  for (const [name, bytes] of stored) {
    const download = await tierkeep.download(key(name));
    expect(Buffer.from(await download.bytes()).equals(bytes)).toBe(true);
  }
  expect(await Array.fromAsync(tierkeep.artifacts({}))).toHaveLength(stored.size);
}

/** Returns the status of /readyz and the value of tierkeep_store_writable. */
async function readiness(url: string): Promise<readonly [number, number]> {
  const ready = await fetch(new URL("/readyz", url));
  const metrics = await (await fetch(new URL("/metrics", url))).text();
  return [ready.status, Number(/^tierkeep_store_writable (\d)$/m.exec(metrics)?.[1])];
}

it("on a full disk, writes are rejected; reads, purges, restarts and the audit log work, and writes succeed again once there is space", async () => {
  await using server = await startServer({ dir: disk, env: { TIERKEEP_ALLOW_AS_OF: "true" } });
  let tierkeep = createTierkeep({ url: server.url, retries: 0 });
  const stored = new Map<string, Buffer>();
  const large = () => [...stored.keys()].filter((name) => name.startsWith("large"));
  const purge = async (names: readonly string[]) => {
    for (const name of names) {
      await tierkeep.purgeArtifact(key(name));
      stored.delete(name);
    }
  };

  for (const name of ["cold-1", "cold-2"]) {
    const bytes = randomBytes(1_000_000);
    await tierkeep.upload(key(name), bytes, { tier: "COLD" });
    stored.set(name, bytes);
  }
  expect(await writeUntilFull(tierkeep, "large", 2_000_000, stored)).toMatchObject({ code: "STORAGE_FULL" });
  fillUp("filler-1");
  expect(await writeUntilFull(tierkeep, "small", 5_000, stored)).toMatchObject({ code: "STORAGE_FULL" });
  expect(large().length).toBeGreaterThan(10);
  // The server may then release part of its space reserve for events that it has not exported yet.
  await expect
    .poll(() => {
      fillUp("filler-2");
      return freeBytes();
    })
    .toBeLessThan(4096);

  await expect.poll(() => readiness(server.url)).toEqual([503, 0]);
  await expectToRead(tierkeep, stored);
  await purge(large().slice(0, 5));
  await expect.poll(() => linesOf("artifact_purged").length).toBe(5);
  await expect.poll(freeBytes).toBeGreaterThan(8_000_000);
  await expectToRead(tierkeep, stored);

  await server.stop();
  fillUp("filler-3");
  expect(freeBytes()).toBe(0);
  await server.restart();
  tierkeep = createTierkeep({ url: server.url, retries: 0 });
  await expectToRead(tierkeep, stored);
  const asOf = new Date(Date.now() + 91 * 86_400_000).toISOString();
  // The moves cannot be planned. The purges can.
  const { job } = await tierkeep.runLifecycle({ asOf });
  expect(job).toMatchObject({ status: "FAILED", purged: 2, promotedToWarm: 0, totalErrors: 0 });
  expect(job.error).toMatch(/space/);
  stored.delete("cold-1");
  stored.delete("cold-2");
  await expect.poll(() => linesOf("purged_from_cold").length).toBe(2);

  rmSync(join(disk, "filler-3"));
  rmSync(join(disk, "filler-1"));
  rmSync(join(disk, "filler-2"));
  await purge(large());
  const bytes = randomBytes(1_000_000);
  await expect.poll(() => upload(tierkeep, "again", bytes)).toBeNull();
  await expect.poll(() => readiness(server.url)).toEqual([200, 1]);
  await expectToRead(tierkeep, stored.set("again", bytes));
  await server.restart();
  await expectToRead(createTierkeep({ url: server.url, retries: 0 }), stored);
});
