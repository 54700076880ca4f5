import { dirname, join } from "node:path";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Disk } from "./disk.ts";
import type { Layout } from "./layout.ts";
import { moveToQuarantine } from "./quarantine.ts";

/** What stands below the root and is no object: in quarantine, and in the tree's places. All calls are synchronous. */
export class FoundFiles {
  readonly #disk: Disk;
  readonly #layout: Layout;

  constructor(disk: Disk, layout: Layout) {
    this.#disk = disk;
    this.#layout = layout;
  }

  quarantined(): { readonly name: string; readonly sizeBytes: number }[] {
    const names = this.#disk.readdir(this.#layout.quarantine) ?? [];
    return names.toSorted().flatMap((name) => {
      const facts = this.#disk.lstat(join(this.#layout.quarantine, name));
      return facts?.kind === "file" ? [{ name, sizeBytes: facts.sizeBytes }] : [];
    });
  }

  /** As TierView.setAside. */
  setAside(places: readonly { readonly key: ArtifactKey; readonly tier: Tier }[]): void {
    const paths = places.flatMap(({ key, tier }) => {
      const { artifact, sidecar } = this.#layout.viewPaths(tier, key);
      return [artifact, sidecar].filter((path) => this.#disk.lstat(path) !== null);
    });
    for (const path of paths) moveToQuarantine(this.#disk, this.#layout, path, "view.quarantine.rename");
    if (paths.length > 0) this.#disk.fsyncDirectory("view.quarantine.fsync", this.#layout.quarantine);
    for (const directory of new Set(paths.map(dirname)))
      this.#disk.fsyncDirectory("view.old.fsync", directory);
  }
}
