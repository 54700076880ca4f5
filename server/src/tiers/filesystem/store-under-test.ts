import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { StoreUnderTest } from "../tier-store.contract.ts";
import type { TierStore } from "../tier-store.ts";
import { type Disk, realDisk, withoutFsync } from "./disk.ts";
import { openFilesystemStore } from "./filesystem-store.ts";
import { ioPool } from "./io-pool.ts";
import { inlineLanes, type Lanes } from "./lanes.ts";
import { Layout } from "./layout.ts";

/** How the store under test does its work. */
export type Workers = { readonly threads: number } | { readonly disk: Disk };

export function lanesOf(root: string, workers: Workers): Lanes {
  return "threads" in workers
    ? ioPool({ root, durability: "os", threads: workers.threads })
    : inlineLanes({ root, disk: workers.disk });
}

/** A store in a folder of its own, which goes with it. For tests. */
export async function openStoreUnderTest(
  workers: Workers = { disk: withoutFsync(realDisk) },
): Promise<StoreUnderTest & { readonly root: string }> {
  const folder = mkdtempSync(join(tmpdir(), "tierkeep-tiers-"));
  const root = join(folder, "artifacts");
  const layout = new Layout(root);
  const open = (): Promise<TierStore> =>
    openFilesystemStore({ id: "base", root, publishTree: true, lanes: lanesOf(root, workers) });
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
