import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Principal } from "@tierkeep/schema/domain/principal";
import type { Refused } from "@tierkeep/schema/domain/refusals";
import type { WriteOptions } from "@tierkeep/schema/services/artifacts";
import { type EngineParts, type OpenedEngine, openEngine } from "../../src/app/embedded/open-engine.ts";
import type { Catalog } from "../../src/catalog/catalog.ts";
import { openCatalog } from "../../src/catalog/open-catalog.ts";
import type { ArtifactRow } from "../../src/catalog/rows.ts";
import { realDisk } from "../../src/files/disk.ts";
import { openTiers, type Tiers } from "../../src/tiers/open-tiers.ts";

export const TEST_ADMIN: Principal = { actor: "admin", role: "ADMIN", tenants: null };

export function keyOf(artifactId: string, tenantId = "acme"): ArtifactKey {
  return { tenantId, workflowId: "nightly", artifactId };
}

/**
 * "served": as in a server, with threads and syncs. "inline": everything on the calling thread, because
 * starting another one takes longer than most tests.
 */
export type StoreDrivers = "served" | "inline";

/** For tests and proofs: an engine on the real drivers in a temporary folder, with a manual clock. */
export class EngineStore implements AsyncDisposable {
  readonly root: string;
  readonly catalog: Catalog;
  readonly tiers: Tiers;
  readonly engine: OpenedEngine;
  readonly problems: string[] = [];
  readonly damaged: ArtifactRow[] = [];
  now = Date.UTC(2026, 0, 1);
  /** Refuses every purge. Null: purges are allowed. */
  refusal: Refused | null = null;

  private constructor(root: string, catalog: Catalog, tiers: Tiers, parts: Partial<EngineParts>) {
    this.root = root;
    this.catalog = catalog;
    this.tiers = tiers;
    this.engine = openEngine({
      catalog,
      clock: { now: () => this.now },
      stores: tiers.stores,
      storeIds: tiers.storeIds,
      storeKey: randomBytes(16),
      owner: randomBytes(8).toString("hex"),
      maxArtifactBytes: null,
      purgeRefusal: async () => this.refusal,
      onProblem: (message, error) => this.problems.push(`${message}: ${error}`),
      onDamage: (row) => this.damaged.push(row),
      upkeepByItself: false,
      ...parts,
    });
  }

  /** `root`: folder of the store, new or existing. It is deleted with the store. */
  static async open(
    parts: Partial<EngineParts> = {},
    root = mkdtempSync(join(tmpdir(), "tierkeep-engine-")),
    drivers: StoreDrivers = "inline",
  ): Promise<EngineStore> {
    const isInline = drivers === "inline";
    const durability = isInline ? "os" : "fsync";
    const tiers = await openTiers({
      root,
      publishTree: true,
      durability,
      disk: isInline ? realDisk : undefined,
    });
    const path = join(root, ".tierkeep", "catalog.db");
    const catalog = await openCatalog({ path, durability, thread: isInline ? "inline" : "worker" });
    return new EngineStore(root, catalog, tiers, parts);
  }

  write(
    key: ArtifactKey,
    content: Uint8Array | AsyncIterable<Uint8Array>,
    options: Partial<WriteOptions> = {},
  ) {
    const defaults = { tier: "HOT", contentType: null, metadata: {} } as const;
    return this.engine.artifacts.write(TEST_ADMIN, { ...key, ...defaults, ...options }, content);
  }

  async row(key: ArtifactKey): Promise<ArtifactRow> {
    const row = await this.catalog.artifact(key);
    if (!row) throw new Error(`${key.artifactId} does not exist`);
    return row;
  }

  objectPath(object: string): string {
    return join(this.root, ".tierkeep", "objects", object.slice(0, 2), object);
  }

  /** Returns the names of the objects on disk. */
  async objects(): Promise<string[]> {
    return Array.fromAsync(this.tiers.storeOf("HOT").list());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine.close(Date.now());
    await this.tiers.close();
    await this.catalog.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}
