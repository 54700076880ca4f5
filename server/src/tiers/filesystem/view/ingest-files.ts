import { createHash, type Hash } from "node:crypto";
import { dirname } from "node:path";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { type Disk, type Facts, systemCode } from "../../../files/disk.ts";
import type { DurableDirectories } from "../../../files/durable-directories.ts";
import { type FoundFile, type IngestAs, modifiedMs, type Taken } from "../../tier-view.ts";
import { currentPaths } from "../current-paths.ts";
import type { Layout } from "../layout.ts";
import type { ObjectFiles, ObjectWrite } from "../objects/object-files.ts";

/** Bytes per call, which limits how long a call occupies its thread. */
const STRETCH_BYTES = 8 * 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;

const MAY_READ = 0o444;
const MAY_WRITE = 0o222;
const OWNER_MAY_READ = 0o400;

const STEPS = { mkdir: "object.mkdir", parentFsync: "object.parent.fsync" } as const;

/** Errors of a link that do not prevent copying the bytes. */
const UNLINKABLE = new Set(["EXDEV", "EPERM", "EACCES", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/** A file of the tree while it is ingested. */
export interface FileIngest {
  readonly descriptor: number;
  readonly facts: Facts;
  readonly hash: Hash;
  position: number;
  /** The object's new name for the same file; null: the file is not linked, or already was. */
  readonly link: string | null;
  /** The copy, where the file cannot be linked; null: none. */
  readonly copy: ObjectWrite | null;
}

/** Makes objects of files that were put into the tree, or only hashes them. All calls are synchronous. */
export class IngestFiles {
  readonly #disk: Disk;
  readonly #layout: Layout;
  readonly #directories: DurableDirectories;
  readonly #objects: ObjectFiles;

  constructor(disk: Disk, layout: Layout, directories: DurableDirectories, objects: ObjectFiles) {
    this.#disk = disk;
    this.#layout = layout;
    this.#directories = directories;
    this.#objects = objects;
  }

  /**
   * Links the file and makes it read-only before its bytes are read. Then no process can open it for writing
   * while it is hashed, and a write through an older descriptor shows in its size or modification time.
   */
  begin(key: ArtifactKey, file: FoundFile, how: IngestAs): FileIngest | Taken {
    const path = currentPaths(this.#disk, this.#layout, file.tier, key).artifact;
    const opened = this.#open(path);
    if (typeof opened !== "number") return opened;
    try {
      const facts = this.#disk.facts(opened);
      const isOther =
        how.as === "own" && this.#identityOf(this.#layout.objectPath(how.object)) !== facts.identity;
      if (isOther || !isSameFile(facts, file)) {
        this.#disk.close(opened);
        return { state: "changed" };
      }
      // A link to a writable file would make its other names read-only.
      const mayLink = file.reusable || (facts.mode & MAY_WRITE) === 0;
      const link = how.as === "new" && mayLink ? this.#link(path, how.object, opened, facts) : null;
      // The file's own read permissions, and always those of its new owner.
      const mode = (facts.mode & MAY_READ) | OWNER_MAY_READ;
      const copy =
        how.as === "new" && link === null ? this.#objects.begin(how.object, modifiedMs(facts), mode) : null;
      return { descriptor: opened, facts, hash: createHash("sha256"), position: 0, link, copy };
    } catch (error) {
      this.#disk.close(opened);
      throw error;
    }
  }

  /** Reads the next part. "more": there is more; "read": all bytes are read, and `finish` is next. */
  next(take: FileIngest): "more" | "read" | Taken {
    const chunk = new Uint8Array(CHUNK_BYTES);
    try {
      for (const end = take.position + STRETCH_BYTES; take.position < end; ) {
        const count = this.#disk.read(take.descriptor, chunk, take.position);
        if (count === 0) return "read";
        const bytes = chunk.subarray(0, count);
        take.hash.update(bytes);
        if (take.copy !== null) this.#objects.append(take.copy, bytes);
        take.position += count;
      }
      return "more";
    } catch (error) {
      this.discard(take);
      const code = systemCode(error);
      if (code === "EIO" && take.copy === null) return { state: "unreadable", code };
      throw error;
    }
  }

  /** Leaves the file as it was found. */
  discard(take: FileIngest): void {
    if (take.copy !== null) this.#objects.discard(take.copy);
    if (take.link !== null) {
      this.#disk.chmod("take.mode", take.descriptor, take.facts.mode);
      this.#disk.unlink("take.undo", take.link);
    }
    this.#disk.close(take.descriptor);
  }

  /**
   * Finishes files that are completely read, durable when it returns. All links and modes are made before the
   * first sync, so that the file system commits them together.
   */
  finish(takes: readonly FileIngest[]): Taken[] {
    const open = new Set(takes);
    try {
      const outcomes = takes.map((take): Taken => {
        const { facts, position: sizeBytes, copy } = take;
        const after = this.#disk.facts(take.descriptor);
        if (after.modifiedNs !== facts.modifiedNs || after.sizeBytes !== sizeBytes) {
          open.delete(take);
          this.discard(take);
          return { state: "changed" };
        }
        return { state: "taken", sizeBytes, checksum: take.hash.digest("hex"), copied: copy !== null };
      });
      for (const { copy } of open) if (copy !== null) this.#objects.finish(copy);
      const linked = [...open].flatMap(({ link, descriptor }) =>
        link === null ? [] : [{ link, descriptor }],
      );
      for (const { descriptor } of linked) this.#disk.fsync("take.fsync", descriptor);
      for (const directory of new Set(linked.map(({ link }) => dirname(link))))
        this.#disk.fsyncDirectory("take.directory.fsync", directory);
      return outcomes;
    } finally {
      for (const { descriptor } of open) this.#disk.close(descriptor);
    }
  }

  /** Null: the file cannot be linked. */
  #link(path: string, object: string, descriptor: number, facts: Facts): string | null {
    const target = this.#layout.objectPath(object);
    this.#directories.ensure(dirname(target), STEPS);
    try {
      this.#disk.link("take.link", path, target);
    } catch (error) {
      if (UNLINKABLE.has(systemCode(error) ?? "")) return null;
      throw error;
    }
    try {
      if (this.#identityOf(target) === facts.identity) {
        this.#disk.chmod("take.mode", descriptor, facts.mode & MAY_READ);
        return target;
      }
    } catch (error) {
      if (!UNLINKABLE.has(systemCode(error) ?? "")) throw error;
    }
    // A file of another user, whose mode we may not change, or another file that replaced it.
    this.#disk.unlink("take.undo", target);
    return null;
  }

  #identityOf(path: string): string | null {
    return this.#disk.lstat(path)?.identity ?? null;
  }

  #open(path: string): number | Taken {
    try {
      return this.#disk.open(path) ?? { state: "changed" };
    } catch (error) {
      const code = systemCode(error);
      if (code === "EACCES" || code === "EPERM" || code === "EIO") return { state: "unreadable", code };
      if (code === "ELOOP" || code === "ENXIO") return { state: "changed" };
      throw error;
    }
  }
}

/** Returns true if a file is the one that was found and has not been written to since. */
export function isSameFile(facts: Facts, found: FoundFile): boolean {
  return facts.kind === "file" && revisionOf(facts) === found.revision;
}

/** Returns the revision of a found file. */
export function revisionOf({ identity, sizeBytes, modifiedNs }: Facts): string {
  return `${identity}:${sizeBytes}:${modifiedNs}`;
}
