import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import { type Disk, realDisk, withoutFsync } from "../../src/files/disk.ts";
import { Layout } from "../../src/tiers/filesystem/layout.ts";
import { openFilesystemStore } from "../../src/tiers/filesystem/objects/filesystem-store.ts";
import { ioPool } from "../../src/tiers/filesystem/workers/io-pool.ts";
import { type IoWorkers, inlineWorkers } from "../../src/tiers/filesystem/workers/io-workers.ts";
import { refusing } from "../../src/tiers/refusing.ts";
import type { TierStore } from "../../src/tiers/tier-store.ts";
import type { StoreUnderTest } from "./tier-store.contract.ts";

/** Whether the store under test works on threads or on the calling thread. */
export type Workers = { readonly threads: number } | { readonly disk: Disk };

function ioWorkers(root: string, workers: Workers): IoWorkers {
  return "threads" in workers
    ? ioPool({ root, durability: "os", threads: workers.threads })
    : inlineWorkers({ root, disk: workers.disk });
}

/** For tests: a store in a temporary folder, which is deleted with it. */
export async function openStoreUnderTest(
  workers: Workers = { disk: withoutFsync(realDisk) },
): Promise<StoreUnderTest & { readonly root: string }> {
  const folder = mkdtempSync(join(tmpdir(), "tierkeep-tiers-"));
  const root = join(folder, "artifacts");
  const layout = new Layout(root);
  const open = async (): Promise<TierStore> =>
    refusing(
      await openFilesystemStore({ id: "base", root, publishTree: true, workers: ioWorkers(root, workers) }),
    );
  const store = await open();
  return {
    root,
    store,
    reopen: open,
    tamper: async (object, change) => {
      const path = layout.objectPath(object);
      chmodSync(path, 0o644);
      writeFileSync(path, change(readFileSync(path)));
    },
    leave: async (object, bytes) => {
      const path = layout.objectPath(object);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes, { mode: 0o444 });
    },
    [Symbol.asyncDispose]: async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** One store for many tests, emptied after each: starting threads takes longer than most tests. */
export class ReusedStore {
  readonly #workers: Workers;
  #current: Awaited<ReturnType<typeof openStoreUnderTest>> | null = null;

  constructor(workers: Workers) {
    this.#workers = workers;
  }

  async open(): ReturnType<typeof openStoreUnderTest> {
    if (this.#current === null || (await isClosed(this.#current.store))) {
      await this.end();
      this.#current = await openStoreUnderTest(this.#workers);
    }
    const { root } = this.#current;
    return { ...this.#current, [Symbol.asyncDispose]: async () => empty(root) };
  }

  async end(): Promise<void> {
    await this.#current?.[Symbol.asyncDispose]();
    this.#current = null;
  }
}

async function isClosed(store: TierStore): Promise<boolean> {
  return store.stat("0".repeat(32)).then(
    () => false,
    () => true,
  );
}

/** Keeps the permanent directories. */
function empty(root: string): void {
  const layout = new Layout(root);
  const kept = new Set([...layout.fixed, ...TIERS.map((tier) => layout.tierDirectory(tier))]);
  for (const directory of kept) {
    for (const name of readdirSync(directory)) {
      if (!kept.has(join(directory, name))) rmSync(join(directory, name), { recursive: true });
    }
  }
}
