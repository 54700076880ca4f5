import { rm } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Disk } from "../files/disk.ts";
import { makeDirectories } from "../files/make-directories.ts";
import { realPath } from "../files/real-path.ts";
import { MANIFEST_FILE } from "./manifest.ts";
import type { StoreFiles } from "./store-files.ts";

export interface BackupFolder {
  /** Absolute. */
  readonly path: string;
  /** Makes the folder's name durable. */
  sync(): void;
  /** Deletes everything that was written there, and the folder where it did not exist before. */
  discard(): Promise<void>;
}

/**
 * Creates the folder for a backup, or uses an empty one.
 *
 * @throws Refused BAD_USER_INPUT for a folder within the store or its log; CONFLICT for one that is not empty
 */
export async function openBackupFolder(disk: Disk, given: string, store: StoreFiles): Promise<BackupFolder> {
  const path = realPath(given);
  for (const taken of [store.root, store.logs]) {
    if (isWithin(path, realPath(taken))) {
      throw new Refused(
        "BAD_USER_INPUT",
        `${given} is within ${taken}, which is part of the backup's source. Name another folder, preferably on another disk.`,
      );
    }
  }
  let made: string | null;
  let names: readonly string[];
  try {
    made = await makeDirectories(path, 0o700);
    names = contentsOf(disk, path);
  } catch (error) {
    throw new Refused(
      "BAD_USER_INPUT",
      `${given} cannot be created or read (${(error as NodeJS.ErrnoException).code}). Name a folder that this user can write to.`,
      {},
      { cause: error },
    );
  }
  if (names.length > 0) {
    throw new Refused(
      "CONFLICT",
      names.includes(MANIFEST_FILE)
        ? `${given} already contains a backup. Use a separate folder for each backup.`
        : `${given} is not empty. Name an empty folder or one that does not exist. Files of an unfinished backup can be deleted.`,
    );
  }
  return {
    path,
    sync() {
      disk.fsyncDirectory("backup.directory.fsync", path);
      if (made !== null) disk.fsyncDirectory("backup.directory.fsync", dirname(made));
    },
    async discard() {
      const names = contentsOf(disk, path).map((name) => join(path, name));
      for (const each of made === null ? names : [made]) await rm(each, { recursive: true, force: true });
    },
  };
}

/** Returns the names in a folder, without those that a file system creates in the root of each disk. */
export function contentsOf(disk: Disk, folder: string): readonly string[] {
  return (disk.readdir(folder) ?? []).filter((name) => name !== "lost+found");
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`));
}
