import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { type OpenedEngine, openEngine } from "../../src/app/embedded/open-engine.ts";
import type { Catalog } from "../../src/catalog/catalog.ts";
import { openCatalog } from "../../src/catalog/open-catalog.ts";
import type { ArtifactRow } from "../../src/catalog/rows.ts";
import { systemClock } from "../../src/engine/clock.ts";
import { type Disk, realDisk } from "../../src/files/disk.ts";
import { openFilesystemStore } from "../../src/tiers/filesystem/objects/filesystem-store.ts";
import { inlineWorkers } from "../../src/tiers/filesystem/workers/io-workers.ts";
import { refusing } from "../../src/tiers/refusing.ts";
import { storeById } from "../../src/tiers/store-by-id.ts";
import type { TierStore } from "../../src/tiers/tier-store.ts";
import { CrashPoint } from "../crash-model/crash-point.ts";
import { crashingCatalog } from "../crash-model/crashing-catalog.ts";
import { LossyDisk } from "../tiers/lossy-disk.ts";
import { TEST_ADMIN } from "./engine-store.ts";

export type StoreId = "base" | "archive";

const BOTH: readonly StoreId[] = ["base", "archive"];

/**
 * An engine on two real filesystem stores: "base" holds new hot artifacts and the view, "archive" holds all other new
 * artifacts. Can be opened again with only one of them.
 */
export class TwoStores implements AsyncDisposable {
  readonly root: string;
  readonly catalog: Catalog;
  readonly problems: string[] = [];
  now = Date.UTC(2026, 0, 1);
  stores: ReadonlyMap<string, TierStore> = new Map();
  #engine: OpenedEngine | null = null;

  private constructor(root: string, catalog: Catalog) {
    this.root = root;
    this.catalog = catalog;
  }

  static async open(): Promise<TwoStores> {
    const root = mkdtempSync(join(tmpdir(), "tierkeep-stores-"));
    const both = new TwoStores(
      root,
      await openCatalog({ path: join(root, "catalog.db"), durability: "os", thread: "inline" }),
    );
    await both.openBoth();
    return both;
  }

  get engine(): OpenedEngine {
    if (this.#engine === null) throw new Error("The engine is not open.");
    return this.#engine;
  }

  /**
   * Drops the engine and the work that is left, as a crash does, then opens it with these stores.
   *
   * @param isServed with background work and the system's clock, as in a server
   */
  openOnly(ids: readonly StoreId[], graceMs = 0, isServed = false): Promise<void> {
    return this.#open(ids, graceMs, isServed, realDisk, this.catalog);
  }

  /**
   * Opens both stores and does the work that is left, until a crash after this many steps, which loses all that was not
   * synced. Returns whether it crashed before the end. Open the engine again after it.
   */
  async crashAfter(lastStep: number): Promise<boolean> {
    const crashPoint = new CrashPoint(lastStep);
    const disk = new LossyDisk(this.root, { onStep: (step) => crashPoint.step(step) });
    await this.#open(BOTH, 0, false, disk, crashingCatalog(this.catalog, crashPoint)).catch(() => {});
    await this.#engine?.drain();
    const { crashed } = crashPoint;
    crashPoint.crash();
    disk.crash("everything");
    return crashed;
  }

  async #open(
    ids: readonly StoreId[],
    graceMs: number,
    isServed: boolean,
    disk: Disk,
    catalog: Catalog,
  ): Promise<void> {
    await this.#closeStores();
    this.#engine = null;
    const opened = new Map<string, TierStore>();
    for (const id of ids) opened.set(id, await this.#openStore(id, graceMs, disk));
    this.stores = opened;
    this.#engine = openEngine({
      catalog,
      clock: isServed ? systemClock : { now: () => this.now },
      stores: opened,
      storeIds: { HOT: "base", WARM: "archive", COLD: "archive" },
      storeKey: randomBytes(16),
      owner: randomBytes(8).toString("hex"),
      maxArtifactBytes: null,
      purgeRefusal: async () => null,
      onProblem: (message, error) => this.problems.push(`${message}: ${error}`),
      upkeepByItself: isServed,
    });
  }

  /** Opens the engine with both stores. */
  openBoth(graceMs = 0, isServed = false): Promise<void> {
    return this.openOnly(BOTH, graceMs, isServed);
  }

  async write(key: ArtifactKey, tier: "HOT" | "COLD", text: string | Uint8Array): Promise<void> {
    const options = { ...key, tier, contentType: null, metadata: {} };
    await this.engine.artifacts.write(TEST_ADMIN, options, Buffer.from(text));
  }

  /** Returns the content as text; null: there is no such artifact. */
  async read(key: ArtifactKey): Promise<string | null> {
    const content = await this.engine.artifacts.open(TEST_ADMIN, key);
    return content && Buffer.concat(await Array.fromAsync(content.body)).toString();
  }

  async row(key: ArtifactKey): Promise<ArtifactRow> {
    const row = await this.catalog.artifact(key);
    if (!row) throw new Error(`${key.artifactId} does not exist`);
    return row;
  }

  /** Returns the objects of an open store. */
  async objects(id: StoreId): Promise<readonly string[]> {
    return Array.fromAsync(storeById(this.stores, id).list());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closeStores();
    await this.catalog.close();
    rmSync(this.root, { recursive: true, force: true });
  }

  async #openStore(id: StoreId, graceMs: number, disk: Disk): Promise<TierStore> {
    const root = join(this.root, id);
    const workers = inlineWorkers({ root, disk });
    const store = await openFilesystemStore({ id, root, publishTree: id === "base", workers });
    return refusing(Object.defineProperty(store, "graceMs", { value: graceMs }));
  }

  async #closeStores(): Promise<void> {
    for (const store of this.stores.values()) await store.close();
  }
}
