import { linkSync, lstatSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { NamedObject } from "../catalog/sqlite/catalog-copy.ts";
import { Layout } from "../tiers/filesystem/layout.ts";
import { damagedArtifact, type ObjectsOptions } from "./copy-objects.ts";
import { syncPath } from "./durable-files.ts";
import type { DamagedArtifact } from "./manifest.ts";

/**
 * Gives each object a second name under another root on the same disk, and reads none. Durable when it resolves.
 * @throws Refused BAD_USER_INPUT where that is another disk
 */
export async function linkObjects(
  objects: Iterable<NamedObject>,
  fromRoot: string,
  toRoot: string,
  { signal, onBytes }: ObjectsOptions,
): Promise<readonly DamagedArtifact[]> {
  const [from, to] = [new Layout(fromRoot), new Layout(toRoot)];
  const failures: DamagedArtifact[] = [];
  const folders = new Set([to.objects]);
  for (const each of objects) {
    signal?.throwIfAborted();
    const path = to.objectPath(each.object);
    const folder = dirname(path);
    if (!folders.has(folder)) mkdirSync(folder, { recursive: true });
    folders.add(folder);
    try {
      linkSync(from.objectPath(each.object), path);
      if (lstatSync(path).size !== each.sizeBytes) failures.push(damagedArtifact(each, "DAMAGED"));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT") throw code === "EXDEV" ? onAnotherDisk() : error;
      failures.push(damagedArtifact(each, "MISSING"));
    }
    onBytes?.(each.sizeBytes);
  }
  for (const folder of folders) await syncPath(folder);
  return failures;
}

function onAnotherDisk(): Refused {
  return new Refused(
    "BAD_USER_INPUT",
    "A snapshot is made of hard links, and that folder is on another disk than the store. Leave --snapshot out: a copy there is worth more.",
  );
}
