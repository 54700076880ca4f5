import { dirname } from "node:path";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { NamedObject } from "../catalog/open-catalog.ts";
import { type Disk, systemCode } from "../files/disk.ts";
import { Layout } from "../tiers/open-tiers.ts";
import { notOpen, ROOT_STORE } from "../tiers/store-by-id.ts";
import { damagedArtifact, type ObjectsOptions } from "./copy-objects.ts";
import type { DamagedArtifact } from "./manifest.ts";

/**
 * Creates a hard link of each object of the store ROOT_STORE under another root on the same disk, without reading
 * them. Durable when it resolves.
 *
 * @throws Refused BAD_USER_INPUT where the root is on another disk, TIER_UNAVAILABLE for an object in another store
 */
export function linkObjects(
  disk: Disk,
  objects: Iterable<NamedObject>,
  fromRoot: string,
  toRoot: string,
  { signal, onBytes }: ObjectsOptions,
): readonly DamagedArtifact[] {
  const [from, to] = [new Layout(fromRoot), new Layout(toRoot)];
  const failures: DamagedArtifact[] = [];
  const folders = new Set([to.objects]);
  for (const each of objects) {
    signal?.throwIfAborted();
    if (each.store !== ROOT_STORE) throw notOpen(each.store);
    const path = to.objectPath(each.object);
    const folder = dirname(path);
    if (!folders.has(folder)) disk.mkdir("backup.mkdir", folder);
    folders.add(folder);
    try {
      disk.link("backup.link", from.objectPath(each.object), path);
      if (disk.lstat(path)?.sizeBytes !== each.sizeBytes) failures.push(damagedArtifact(each, "DAMAGED"));
    } catch (error) {
      const code = systemCode(error);
      if (code !== "ENOENT") throw code === "EXDEV" ? onAnotherDisk() : error;
      failures.push(damagedArtifact(each, "MISSING"));
    }
    onBytes?.(each.sizeBytes);
  }
  for (const folder of folders) disk.fsyncDirectory("backup.directory.fsync", folder);
  return failures;
}

function onAnotherDisk(): Refused {
  return new Refused(
    "BAD_USER_INPUT",
    "A snapshot consists of hard links, and that folder is on a different disk than the store. Leave out --snapshot: a copy on another disk is safer.",
  );
}
