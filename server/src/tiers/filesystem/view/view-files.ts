import { dirname, join, relative } from "node:path";
import { type ArtifactKey, keyOf } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { TIERS, type Tier } from "@tierkeep/schema/domain/tiers";
import { type Disk, type DiskStep, systemCode } from "../../../files/disk.ts";
import type { DurableDirectories } from "../../../files/durable-directories.ts";
import { StorageError } from "../../storage-error.ts";
import type { Blocked, Placement, Published, ViewCopy } from "../../tier-view.ts";
import { currentPaths } from "../current-paths.ts";
import { FIXED_DEPTH, inFolder, type Layout, type ViewPaths } from "../layout.ts";
import { moveToQuarantine } from "../objects/quarantine.ts";
import { isSameFile } from "./ingest-files.ts";
import { isOwnSidecar } from "./view-ownership.ts";

const STEPS = { mkdir: "view.mkdir", parentFsync: "view.parent.fsync" } as const;

/** Errors of rmdir after which a folder stays: it has content, is a mount point, or is not ours to remove. */
const STAYS = new Set(["ENOTEMPTY", "EEXIST", "EBUSY", "EACCES", "EPERM"]);

/** Maximum size of `#synced`. When it is full it is emptied, and each directory costs one more fsync. */
const MAX_SYNCED = 10_000;

interface Place {
  readonly tier: Tier;
  /** Set once all folders of the batch are made. */
  paths: ViewPaths;
  readonly object: string;
  readonly sidecar: Uint8Array;
}

/** One key in a batch. */
interface Publication {
  readonly key: ArtifactKey;
  readonly place: Place | null;
  /** Its path in `place` must become a folder. */
  readonly folder: boolean;
  /** Objects whose links at this key's paths are ours. */
  readonly objects: readonly string[];
  /** The new sidecar before it is renamed. */
  temporary: { readonly path: string; descriptor: number | null } | null;
  /** Directories in which names changed. They are synced before the key counts as published. */
  readonly changed: Set<string>;
}

interface Batch {
  readonly quarantined: { path: string; movedTo: string }[];
  readonly failed: { key: ArtifactKey; error: string }[];
  readonly blocked: Blocked[];
  /** The keys that have not failed so far and are not blocked. */
  live: Publication[];
  /** Whether files were moved to quarantine since the quarantine was last synced. */
  unsyncedQuarantine: boolean;
}

/** The view below one root. All calls are synchronous. */
export class ViewFiles {
  readonly #disk: Disk;
  readonly #layout: Layout;
  readonly #directories: DurableDirectories;
  /**
   * Directories that were synced after their last change. Any other directory is synced even if nothing
   * changes: a process may have removed a file there and crashed before the fsync.
   */
  readonly #synced = new Set<string>();
  /** Distinguishes the temporary files of threads that publish concurrently. */
  readonly #worker: number;

  constructor(disk: Disk, layout: Layout, directories: DurableDirectories, worker: number) {
    this.#disk = disk;
    this.#layout = layout;
    this.#directories = directories;
    this.#worker = worker;
  }

  /**
   * Implements TierView.publish. New paths are durable before old ones are removed. After a crash at any step,
   * the view therefore has each artifact at least once, with its sidecar. No two calls may publish one key
   * concurrently.
   */
  publish(placements: readonly Placement[]): Published {
    const batch: Batch = { quarantined: [], failed: [], blocked: [], live: [], unsyncedQuarantine: false };
    for (const placement of placements) {
      guarded(batch, placement.key, () => batch.live.push(this.#publication(placement)));
    }
    try {
      // All folders first: afterwards it is fixed which keys are files in the folders of their names.
      this.#each(batch, (publication) => this.#prepareDirectories(batch, publication));
      this.#each(batch, (publication) => this.#findPaths(publication));
      this.#each(batch, (publication, index) => this.#writeSidecar(publication, index));
      this.#each(batch, (publication) => this.#syncSidecar(publication));
      this.#each(batch, (publication) => this.#placeSidecar(batch, publication));
      this.#each(batch, (publication) => this.#placeLink(batch, publication));
      this.#syncChanged(batch, "view.directory.fsync");
      this.#each(batch, (publication) => this.#removeElsewhere(batch, publication));
      this.#syncChanged(batch, "view.old.fsync");
    } finally {
      for (const publication of batch.live) this.#closeTemporary(publication);
    }
    return { quarantined: batch.quarantined, failed: batch.failed, blocked: batch.blocked };
  }

  /** Implements TierView.relink. No other thread may publish these keys concurrently. */
  relink(copies: readonly ViewCopy[]): void {
    const changed = new Set<string>();
    for (const { key, object, file } of copies) {
      const paths = currentPaths(this.#disk, this.#layout, file.tier, key);
      if (this.#realDirectories(paths.directories) < paths.directories.length) continue;
      const target = this.#layout.objectPath(object);
      if (this.#disk.lstat(target)?.kind !== "file") continue;
      const temporary = join(this.#layout.temporary, `${this.#worker}-0`);
      this.#removeTemporary(temporary);
      this.#disk.link("view.link.temporary", target, temporary);
      const found = this.#disk.lstat(paths.artifact);
      if (found !== null && isSameFile(found, file)) {
        this.#disk.rename("view.link.rename", temporary, paths.artifact);
        changed.add(paths.directory);
      }
      // Needed if both are links of one file: rename() then does nothing and leaves both.
      this.#removeTemporary(temporary);
    }
    for (const directory of changed) this.#disk.fsyncDirectory("view.directory.fsync", directory);
  }

  #publication({ key, place, earlier, folder = false }: Placement): Publication {
    return {
      key,
      place: place === null ? null : { ...place, paths: this.#layout.viewPaths(place.tier, key) },
      folder,
      objects: place === null ? earlier : [place.object, ...earlier],
      temporary: null,
      changed: new Set(),
    };
  }

  #writeSidecar(publication: Publication, index: number): void {
    const { place } = publication;
    if (place === null) return;
    const path = join(this.#layout.temporary, `${this.#worker}-${index}`);
    this.#removeTemporary(path);
    const temporary = { path, descriptor: this.#disk.create("view.sidecar.create", path) };
    publication.temporary = temporary;
    this.#disk.append("view.sidecar.append", temporary.descriptor, place.sidecar);
  }

  #syncSidecar(publication: Publication): void {
    const descriptor = publication.temporary?.descriptor ?? null;
    if (descriptor === null) return;
    this.#disk.fsync("view.sidecar.fsync", descriptor);
    this.#closeTemporary(publication);
  }

  #placeSidecar(batch: Batch, publication: Publication): void {
    const { place, temporary } = publication;
    if (place === null || temporary === null) return;
    this.#markChanged(publication, place.paths.directory);
    if (this.#disk.lstat(place.paths.sidecar) !== null && !isOwnSidecar(this.#disk, place.paths.sidecar)) {
      this.#quarantine(batch, place.paths.sidecar);
    }
    this.#disk.rename("view.sidecar.rename", temporary.path, place.paths.sidecar);
  }

  #placeLink(batch: Batch, publication: Publication): void {
    const { place, temporary } = publication;
    if (place === null || temporary === null) return;
    const object = this.#layout.objectPath(place.object);
    const wanted = this.#requireObject(place.object);
    const present = this.#disk.lstat(place.paths.artifact)?.identity;
    if (present === wanted) return;
    if (present !== undefined && this.#isOwnLink(publication, present)) {
      // rename() between two links of one file does nothing and leaves both; `present` is another file, so it
      // is replaced.
      this.#removeTemporary(temporary.path);
      this.#disk.link("view.link.temporary", object, temporary.path);
      this.#disk.rename("view.link.rename", temporary.path, place.paths.artifact);
      this.#removeTemporary(temporary.path);
      return;
    }
    if (present !== undefined) this.#quarantine(batch, place.paths.artifact);
    this.#disk.link("view.link", object, place.paths.artifact);
  }

  /** Removes the key's files from all paths but its own, then folders that are empty. */
  #removeElsewhere(batch: Batch, publication: Publication): void {
    const { key, place } = publication;
    for (const tier of TIERS) {
      const flat = this.#layout.viewPaths(tier, key);
      // Below a symbolic link or a foreign file, nothing is ours. Links are not followed.
      const real = this.#realDirectories(flat.directories);
      const isReal = real === flat.directories.length;
      const isFolder = isReal && this.#disk.lstat(flat.artifact)?.kind === "directory";
      if (isReal && tier !== place?.tier)
        this.#removeFiles(batch, publication, isFolder ? inFolder(flat) : flat);
      // Left where the file became a folder.
      if (isFolder && isOwnSidecar(this.#disk, flat.sidecar)) {
        this.#markChanged(publication, flat.directory);
        this.#disk.unlink("view.old.unlink", flat.sidecar);
      }
      if (tier === place?.tier) continue;
      const folders = flat.directories.slice(FIXED_DEPTH, real);
      this.#removeEmpty(batch, publication, isFolder ? [...folders, flat.artifact] : folders);
    }
  }

  #removeFiles(batch: Batch, publication: Publication, paths: ViewPaths): void {
    if (!this.#synced.has(paths.directory)) publication.changed.add(paths.directory);
    // The file first: a file without its sidecar could be adopted as an artifact, a sidecar alone is only
    // reported.
    const link = this.#disk.lstat(paths.artifact);
    if (link !== null && this.#isOwnLink(publication, link.identity)) {
      this.#markChanged(publication, paths.directory);
      this.#disk.unlink("view.old.unlink", paths.artifact);
    } else if (link !== null) {
      this.#markChanged(publication, paths.directory);
      this.#quarantine(batch, paths.artifact);
    }
    if (this.#disk.lstat(paths.sidecar) === null) return;
    if (isOwnSidecar(this.#disk, paths.sidecar)) {
      this.#markChanged(publication, paths.directory);
      this.#disk.unlink("view.old.unlink", paths.sidecar);
    } else if (link !== null) {
      // The sidecar is moved with its file. A sidecar without a file blocks nothing, and stays.
      this.#markChanged(publication, paths.directory);
      this.#quarantine(batch, paths.sidecar);
    }
  }

  /** Removes those of these nested folders that are empty, innermost first. Outermost first in `folders`. */
  #removeEmpty(batch: Batch, publication: Publication, folders: readonly string[]): void {
    for (const folder of folders.toReversed()) {
      try {
        this.#disk.rmdir("view.folder.rmdir", folder);
      } catch (error) {
        if (STAYS.has(systemCode(error) ?? "")) return;
        throw error;
      }
      this.#directories.forget(folder);
      this.#synced.delete(folder);
      for (const { changed } of batch.live) changed.delete(folder);
      this.#markChanged(publication, dirname(folder));
    }
  }

  /**
   * Creates the missing directories of a key's path. All must be real directories: a symbolic link would
   * redirect our writes. A file of another key blocks this one; any other file is moved to quarantine.
   */
  #prepareDirectories(batch: Batch, publication: Publication): void {
    const { key, place, folder } = publication;
    if (place === null) return;
    const { directories, artifact } = place.paths;
    if (folder) this.#requireObject(place.object);
    for (const [depth, path] of (folder ? [...directories, artifact] : directories).entries()) {
      const present = this.#disk.lstat(path);
      if (present?.kind === "directory") {
        this.#directories.ensure(path, STEPS);
        continue;
      }
      if (present !== null) {
        if (depth === 0) {
          // An operator may have put a link there intentionally, so only the operator may remove it.
          throw new StorageError(
            "UNAVAILABLE",
            `${path} is not a folder. Put a folder in its place, or set PUBLISH_TREE=false`,
          );
        }
        if (path === artifact && this.#isOwnLink(publication, present.identity)) {
          this.#disk.unlink("view.folder.unlink", path);
        } else if (depth >= FIXED_DEPTH && path !== artifact && present.kind === "file") {
          const artifactId = key.artifactId.split("/", depth + 1 - FIXED_DEPTH).join("/");
          batch.blocked.push({ key, by: { ...keyOf(key), artifactId }, tier: place.tier });
          batch.live = batch.live.filter((other) => other !== publication);
          return;
        } else {
          this.#quarantine(batch, path);
          this.#syncQuarantine(batch);
        }
      }
      this.#directories.forget(path);
      this.#directories.ensure(path, STEPS);
    }
  }

  #findPaths({ key, place }: Publication): void {
    if (place === null) return;
    const paths = currentPaths(this.#disk, this.#layout, place.tier, key);
    this.#directories.ensure(paths.directory, STEPS);
    place.paths = paths;
  }

  /** Number of these paths, each below the one before, that are real directories up to the first that is none. */
  #realDirectories(paths: readonly string[]): number {
    const first = paths.findIndex((path) => this.#disk.lstat(path)?.kind !== "directory");
    return first === -1 ? paths.length : first;
  }

  /** @throws StorageError if the object is missing */
  #requireObject(object: string): string {
    const identity = this.#disk.lstat(this.#layout.objectPath(object))?.identity;
    if (identity === undefined) throw new StorageError("UNAVAILABLE", `its object ${object} is missing`);
    return identity;
  }

  #isOwnLink(publication: Publication, identity: string): boolean {
    return publication.objects.some(
      (object) => this.#disk.lstat(this.#layout.objectPath(object))?.identity === identity,
    );
  }

  #quarantine(batch: Batch, path: string): void {
    const movedTo = moveToQuarantine(this.#disk, this.#layout, path, "view.quarantine.rename");
    batch.unsyncedQuarantine = true;
    batch.quarantined.push({
      path: relative(this.#layout.root, path),
      movedTo: relative(this.#layout.root, movedTo),
    });
  }

  #removeTemporary(path: string): void {
    if (this.#disk.lstat(path) !== null) this.#disk.unlink("view.temporary.unlink", path);
  }

  #closeTemporary({ temporary }: Publication): void {
    const descriptor = temporary?.descriptor ?? null;
    if (temporary === null || descriptor === null) return;
    temporary.descriptor = null;
    this.#disk.close(descriptor);
  }

  #markChanged(publication: Publication, directory: string): void {
    this.#synced.delete(directory);
    publication.changed.add(directory);
  }

  /** Makes moves to quarantine durable before the directories that the files came from are synced. */
  #syncQuarantine(batch: Batch): void {
    if (!batch.unsyncedQuarantine) return;
    this.#disk.fsyncDirectory("view.quarantine.fsync", this.#layout.quarantine);
    batch.unsyncedQuarantine = false;
  }

  #syncChanged(batch: Batch, step: DiskStep): void {
    if (batch.unsyncedQuarantine) this.#each(batch, () => this.#syncQuarantine(batch));
    const directories = new Set(batch.live.flatMap(({ changed }) => [...changed]));
    for (const directory of directories) {
      const concerned = batch.live.filter(({ changed }) => changed.has(directory));
      try {
        this.#disk.fsyncDirectory(step, directory);
        if (this.#synced.size >= MAX_SYNCED) this.#synced.clear();
        this.#synced.add(directory);
      } catch (error) {
        for (const publication of concerned) this.#fail(batch, publication, error);
      }
    }
    for (const { changed } of batch.live) changed.clear();
  }

  #each(batch: Batch, act: (publication: Publication, index: number) => void): void {
    for (const [index, publication] of [...batch.live].entries()) {
      try {
        act(publication, index);
      } catch (error) {
        this.#fail(batch, publication, error);
      }
    }
  }

  #fail(batch: Batch, publication: Publication, error: unknown): void {
    guarded(batch, publication.key, () => {
      throw error;
    });
    batch.live = batch.live.filter((other) => other !== publication);
    this.#closeTemporary(publication);
    if (publication.temporary !== null) this.#removeTemporary(publication.temporary.path);
  }
}

/**
 * Runs `act` for one key and records its failure, so that other keys continue.
 *
 * @throws errors that do not concern files or names
 */
function guarded(batch: Batch, key: ArtifactKey, act: () => void): void {
  try {
    act();
  } catch (error) {
    const isOfKey = error instanceof StorageError || error instanceof Refused || systemCode(error) !== null;
    if (!isOfKey) throw error;
    batch.failed.push({ key, error: (error as Error).message });
  }
}
