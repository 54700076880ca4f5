import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setEnvironmentData } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import {
  bytesOf,
  inChunks,
  newObject,
  sha256,
  someBytes,
} from "../../../../testing/tiers/tier-store.contract.ts";
import { THREAD_PRELOAD } from "../../../threads/thread-server.ts";
import { StorageError } from "../../storage-error.ts";
import type { TierStore } from "../../tier-store.ts";
import { openFilesystemStore } from "../objects/filesystem-store.ts";
import { ioPool } from "./io-pool.ts";
import type { IoWorkers } from "./io-workers.ts";

const MiB = 1024 * 1024;
const options = { maxBytes: null, modifiedAt: 0 };

let folder: string;
let workers: IoWorkers;
let store: TierStore;

function pool(threads: number): IoWorkers {
  return ioPool({ root: join(folder, "artifacts"), durability: "os", threads });
}

async function openStore(opened: IoWorkers): Promise<void> {
  workers = opened;
  store = await openFilesystemStore({
    id: "base",
    root: join(folder, "artifacts"),
    publishTree: true,
    workers,
  });
}

/**
 * Returns the paths below the folder that any thread of this process has open. Empty if the system does not
 * list them.
 */
function openFiles(): string[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc/self/fd")
    .map((descriptor) => {
      try {
        return readlinkSync(`/proc/self/fd/${descriptor}`);
      } catch {
        return "";
      }
    })
    .filter((path) => path.startsWith(folder));
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tierkeep-pool-"));
});

afterEach(async () => {
  await store.close();
  expect(openFiles()).toEqual([]);
  rmSync(folder, { recursive: true });
});

describe("ioPool", () => {
  it("streams 300 MiB in both directions with less than 150 MiB of memory", async () => {
    await openStore(pool(2));
    const chunk = someBytes(64 * 1024);
    const chunks = (300 * MiB) / chunk.length;
    const before = process.memoryUsage.rss();
    let highest = before;
    let count = 0;
    const sample = () => {
      count += 1;
      if (count % 64 === 0) highest = Math.max(highest, process.memoryUsage.rss());
    };
    async function* content(): AsyncGenerator<Uint8Array> {
      for (let index = 0; index < chunks; index += 1) {
        sample();
        yield chunk;
      }
    }
    const object = newObject();
    const written = await store.write(object, content(), options);
    expect(written.sizeBytes).toBe(300 * MiB);
    let received = 0;
    for await (const bytes of (await store.read(object, { range: null, ...written })) ?? []) {
      sample();
      received += bytes.length;
    }
    expect(received).toBe(300 * MiB);
    expect((highest - before) / MiB).toBeLessThan(150);
  });

  it("makes a source wait while the disk is busy: it is at most 1 MiB and one buffer ahead", async () => {
    const inner = pool(1);
    const gate = Promise.withResolvers<void>();
    const gated: IoWorkers = {
      ...inner,
      leastBusy: () => ({
        call: async (operation, args, transfer) => {
          const result = await inner.leastBusy().call(operation, args, transfer);
          if (operation === "append") await gate.promise;
          return result;
        },
      }),
    };
    await openStore(gated);
    let pulled = 0;
    async function* content(): AsyncGenerator<Uint8Array> {
      for (let index = 0; index < 64; index += 1) {
        pulled += 1;
        yield someBytes(64 * 1024, index);
      }
    }
    const writing = store.write(newObject(), content(), options);
    // Without the limit, the source would continue while these calls complete.
    for (let round = 0; round < 200; round += 1) await inner.at(0).call("stat", [newObject()]);
    expect(pulled).toBe(17);
    gate.resolve();
    expect((await writing).sizeBytes).toBe(4 * MiB);
  });

  it("reads no more than a chunk ahead of a stalled consumer", async () => {
    const inner = pool(1);
    let reads = 0;
    const counted: IoWorkers = {
      ...inner,
      leastBusy: () => ({
        call: (operation, args, transfer) => {
          if (operation === "readNext") reads += 1;
          return inner.leastBusy().call(operation, args, transfer);
        },
      }),
    };
    await openStore(counted);
    const object = newObject();
    const written = await store.write(object, inChunks(someBytes(3 * MiB), MiB), options);
    const reader = (await store.read(object, { range: null, ...written }))?.[Symbol.asyncIterator]();
    await reader?.next();
    for (let round = 0; round < 200; round += 1) await inner.at(0).call("stat", [object]);
    expect(reads).toBe(2);
    await reader?.return?.();
  });

  it("keeps no file open after readers and writers have ended, returned, failed or been aborted", async () => {
    await openStore(pool(2));
    const bytes = someBytes(2 * MiB);
    const expected = { range: null, sizeBytes: bytes.length, checksum: sha256(bytes) };
    const object = newObject();
    await store.write(object, inChunks(bytes, 65_536), options);
    expect(openFiles()).toEqual([]);

    await bytesOf(await store.read(object, expected));
    await bytesOf(await store.read(object, { ...expected, range: { start: 0, end: 10 } }));
    const wrong = store.read(object, { ...expected, checksum: "0".repeat(64) });
    await expect(wrong.then(bytesOf)).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
    await expect(store.read(object, { ...expected, sizeBytes: 5 })).rejects.toMatchObject({
      code: "CHECKSUM_MISMATCH",
    });
    expect(openFiles()).toEqual([]);

    const opened = await store.read(object, expected);
    if (process.platform === "linux") expect(openFiles()).toHaveLength(1);
    await opened?.[Symbol.asyncIterator]().return?.();
    expect(openFiles()).toEqual([]);

    const abort = new AbortController();
    const reader = (await store.read(object, { ...expected, signal: abort.signal }))?.[
      Symbol.asyncIterator
    ]();
    await reader?.next();
    abort.abort();
    await expect(reader?.next()).rejects.toMatchObject({ name: "AbortError" });
    // The threads reply in order, so the sessions are closed by then.
    await Promise.all([0, 1].map((index) => workers.at(index).call("stat", [object])));
    expect(openFiles()).toEqual([]);

    await expect(
      store.write(newObject(), inChunks(bytes, 65_536), { ...options, maxBytes: MiB }),
    ).rejects.toThrow();
    expect(openFiles()).toEqual([]);
  });

  it("closes the files of open sessions when the store is closed", async () => {
    await openStore(pool(2));
    const bytes = someBytes(2 * MiB);
    const object = newObject();
    const written = await store.write(object, inChunks(bytes, 65_536), options);
    const reader = (await store.read(object, { range: null, ...written }))?.[Symbol.asyncIterator]();
    await reader?.next();
    await store.close();
    expect(openFiles()).toEqual([]);
    await reader?.next();
    await expect(reader?.next()).rejects.toMatchObject({ kind: "UNAVAILABLE" });
  });

  it("keeps the kind, the cause and the class of a storage error that a thread threw", async () => {
    await openStore(pool(1));
    const [object, stored] = [newObject(), newObject()];
    await store.put([{ object: stored, bytes: someBytes(10), modifiedAt: 0 }]);
    const objects = join(folder, "artifacts", ".tierkeep", "objects");
    mkdirSync(join(objects, object.slice(0, 2)), { recursive: true });
    symlinkSync("elsewhere", join(objects, object.slice(0, 2), object));
    const reading = store.read(object, { range: null, sizeBytes: 10, checksum: sha256(someBytes(10)) });
    const unreadable = await reading.catch((error: unknown) => error);
    expect(unreadable).toBeInstanceOf(StorageError);
    expect(unreadable).toMatchObject({ kind: "UNREADABLE", retryable: false, cause: { code: "ELOOP" } });
    expect((unreadable as Error).stack).toContain("io-workers");
    renameSync(objects, `${objects}-away`);
    const away = { name: "StorageError", kind: "UNAVAILABLE", retryable: true, cause: undefined };
    await expect(store.stat(stored)).rejects.toMatchObject(away);
  });

  it("finishes pending calls before the store is closed", async () => {
    await openStore(pool(2));
    const objects = Array.from({ length: 40 }, () => ({
      object: newObject(),
      bytes: someBytes(10),
      modifiedAt: 0,
    }));
    const putting = store.put(objects);
    await store.close();
    await putting;
    await openStore(pool(1));
    expect(await Array.fromAsync(store.list())).toHaveLength(40);
  });

  it("replaces a thread that dies: its sessions fail, and the next call succeeds", async () => {
    const preload = new URL("../../../../testing/tiers/dying-worker.ts", import.meta.url).href;
    setEnvironmentData(THREAD_PRELOAD, preload);
    onTestFinished(() => setEnvironmentData(THREAD_PRELOAD, undefined));
    await openStore(pool(1));
    const object = newObject();
    const written = await store.write(object, inChunks(someBytes(2 * MiB), 65_536), options);
    const reader = (await store.read(object, { range: null, ...written }))?.[Symbol.asyncIterator]();
    await reader?.next();
    await reader?.next();

    const lost = { name: "StorageError", kind: "UNAVAILABLE" };
    const waiting = Promise.withResolvers<void>();
    async function* content(): AsyncGenerator<Uint8Array> {
      yield someBytes(MiB);
      await waiting.promise;
      yield someBytes(MiB);
    }
    const writing = store.write(newObject(), content(), options);
    const writingFails = expect(writing).rejects.toMatchObject(lost);
    await expect(store.quarantine(newObject())).rejects.toMatchObject(lost);
    waiting.resolve();
    await writingFails;
    await expect(Array.fromAsync({ [Symbol.asyncIterator]: () => reader ?? never() })).rejects.toMatchObject(
      lost,
    );

    expect(await store.stat(object)).toEqual({ sizeBytes: 2 * MiB });
  });

  it("does not keep the process alive, even if the store is never closed", async () => {
    await openStore(pool(1));
    const script = `
      import { openTiers } from ${JSON.stringify(fileURLToPath(new URL("../../open-tiers.ts", import.meta.url)))};
      const tiers = await openTiers({ root: ${JSON.stringify(join(folder, "other"))}, publishTree: true, durability: "os" });
      console.log(await tiers.storeOf('HOT').stat("${"0".repeat(32)}"));
    `;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
      // Ends the child process if this test fails.
      timeout: 60_000,
    });
    const closed = once(child, "close");
    const output = (await Array.fromAsync(child.stdout)).join("");
    expect(await closed).toEqual([0, null]);
    expect(output).toBe("null\n");
  });
});

function never(): never {
  throw new Error("unreachable");
}
