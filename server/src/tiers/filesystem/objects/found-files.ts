import { rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Disk, Facts } from "../../../files/disk.ts";
import type { Quarantined } from "../../tier-store.ts";
import type { Moved } from "../../tier-view.ts";
import { currentPaths } from "../current-paths.ts";
import type { Layout } from "../layout.ts";
import { moveToQuarantine } from "./quarantine.ts";

/**
 * Files below the root that are not objects: in quarantine, and at artifacts' paths in the tree. All calls
 * are synchronous.
 */
export class FoundFiles {
  readonly #disk: Disk;
  readonly #layout: Layout;

  constructor(disk: Disk, layout: Layout) {
    this.#disk = disk;
    this.#layout = layout;
  }

  quarantined(): Quarantined[] {
    const names = this.#disk.readdir(this.#layout.quarantine) ?? [];
    return names.toSorted().flatMap((name) => {
      const path = join(this.#layout.quarantine, name);
      const facts = this.#disk.lstat(path);
      if (facts === null) return [];
      const kind = facts.kind === "file" ? "file" : "other";
      return [{ name, kind, sizeBytes: this.#sizeOf(path, facts), movedAt: facts.changedMs }];
    });
  }

  /**
   * Not synced, because nothing depends on it: a file that a power failure restores is deleted by the next
   * call.
   */
  deleteQuarantined(names: readonly string[]): void {
    for (const name of names) rmSync(this.#layout.quarantinePath(name), { recursive: true, force: true });
  }

  #sizeOf(path: string, facts: Facts): number {
    if (facts.kind === "file") return facts.sizeBytes;
    if (facts.kind === "other") return 0;
    return (this.#disk.readdir(path) ?? []).reduce((sum, name) => {
      const inside = join(path, name);
      const found = this.#disk.lstat(inside);
      return sum + (found === null ? 0 : this.#sizeOf(inside, found));
    }, 0);
  }

  /** As TierView.setAside. */
  setAside(places: readonly { readonly key: ArtifactKey; readonly tier: Tier }[]): readonly Moved[] {
    const paths = places.flatMap(({ key, tier }) => {
      const { artifact, sidecar } = currentPaths(this.#disk, this.#layout, tier, key);
      return [artifact, sidecar].filter((path) => this.#disk.lstat(path) !== null);
    });
    const moved = paths.map((path): Moved => {
      const movedTo = moveToQuarantine(this.#disk, this.#layout, path, "view.quarantine.rename");
      return { path: relative(this.#layout.root, path), movedTo: relative(this.#layout.root, movedTo) };
    });
    if (paths.length > 0) this.#disk.fsyncDirectory("view.quarantine.fsync", this.#layout.quarantine);
    for (const directory of new Set(paths.map(dirname)))
      this.#disk.fsyncDirectory("view.old.fsync", directory);
    return moved;
  }
}
