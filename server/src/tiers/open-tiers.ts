import { resolve } from "node:path";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import { type Disk, withoutFsync } from "../files/disk.ts";
import { openFilesystemStore } from "./filesystem/objects/filesystem-store.ts";
import { probeLinks as probe } from "./filesystem/probe-links.ts";
import { ioPool } from "./filesystem/workers/io-pool.ts";
import { inlineWorkers } from "./filesystem/workers/io-workers.ts";
import { refuse, refusing } from "./refusing.ts";
import { ROOT_STORE } from "./store-by-id.ts";
import type { TierStore } from "./tier-store.ts";

export { Layout } from "./filesystem/layout.ts";
export { STORE_MODES } from "./filesystem/prepare-store.ts";

const DEFAULT_IO_THREADS = 4;

export interface OpenTiersOptions {
  /** The store's folder; created where it is missing. */
  readonly root: string;
  /** False: no tree of links, and `view` is null. */
  readonly publishTree: boolean;
  /** Threads that read and write files. Default: 4. */
  readonly ioThreads?: number | undefined;
  /** "os": no fsync, so a power failure may lose acknowledged writes. */
  readonly durability: "fsync" | "os";
  /**
   * Runs all work on the calling thread, through this disk, for model checks. `ioThreads` is then ignored.
   */
  readonly disk?: Disk | undefined;
}

export interface Tiers {
  /** The store of each tier. */
  readonly storeIds: Readonly<Record<Tier, string>>;
  /** The store for new objects of a tier. */
  storeOf(tier: Tier): TierStore;
  /** By the id in the catalog's rows. */
  readonly stores: ReadonlyMap<string, TierStore>;
  /** Finishes pending calls, then closes all threads and descriptors. */
  close(): Promise<void>;
}

/** As the driver's probeLinks. @throws Refused where the folder cannot be written */
export const probeLinks: typeof probe = (root) => probe(root).catch(refuse);

/**
 * Opens the stores of all tiers. This module is the only one that imports a tier driver.
 * Their methods throw refusals in place of storage errors.
 * @throws Refused if the folders cannot be created
 */
export async function openTiers(options: OpenTiersOptions): Promise<Tiers> {
  const { publishTree, durability, disk, ioThreads: threads = DEFAULT_IO_THREADS } = options;
  const root = resolve(options.root);
  const workers =
    disk === undefined
      ? ioPool({ root, durability, threads })
      : inlineWorkers({ root, disk: durability === "os" ? withoutFsync(disk) : disk });
  const base = refusing(
    await openFilesystemStore({ id: ROOT_STORE, root, publishTree, workers }).catch(refuse),
  );
  return {
    storeIds: { HOT: base.id, WARM: base.id, COLD: base.id },
    storeOf: () => base,
    stores: new Map([[base.id, base]]),
    close: () => base.close(),
  };
}
