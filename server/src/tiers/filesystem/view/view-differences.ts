import { relative } from "node:path";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import { type Disk, systemCode } from "../../../files/disk.ts";
import type { Placement, ViewDifference } from "../../tier-view.ts";
import { currentPaths } from "../current-paths.ts";
import type { Layout } from "../layout.ts";

/** Returns where the view's paths differ from the placements. Changes nothing. */
export function viewDifferences(
  disk: Disk,
  layout: Layout,
  placements: readonly Placement[],
): ViewDifference[] {
  return placements.flatMap(({ key, place }) =>
    TIERS.flatMap((tier): ViewDifference[] => {
      const paths = currentPaths(disk, layout, tier, key);
      const difference = (path: string, how: ViewDifference["how"]): ViewDifference => ({
        key,
        tier,
        path: relative(layout.root, path),
        how,
      });
      const present = disk.lstat(paths.artifact);
      if (place?.tier !== tier) {
        return [paths.artifact, paths.sidecar]
          .filter((path) => disk.lstat(path) !== null)
          .map((path) => difference(path, "foreign"));
      }
      const found: ViewDifference[] = [];
      // While the object is missing, the file there may be the last copy of the bytes.
      const object = disk.lstat(layout.objectPath(place.object));
      if (present === null) found.push(difference(paths.artifact, "missing"));
      else if (object !== null && present.identity !== object.identity)
        found.push(difference(paths.artifact, "foreign"));
      const sidecar = disk.lstat(paths.sidecar);
      if (sidecar === null) found.push(difference(paths.sidecar, "missing"));
      else if (!hasBytes(disk, paths.sidecar, place.sidecar))
        found.push(difference(paths.sidecar, "sidecar"));
      return found;
    }),
  );
}

function hasBytes(disk: Disk, path: string, wanted: Uint8Array): boolean {
  let descriptor: number | null = null;
  try {
    descriptor = disk.open(path);
    if (descriptor === null) return false;
    const facts = disk.facts(descriptor);
    if (facts.kind !== "file" || facts.sizeBytes !== wanted.length) return false;
    const bytes = new Uint8Array(wanted.length);
    for (let filled = 0; filled < bytes.length; ) {
      const count = disk.read(descriptor, bytes.subarray(filled), filled);
      if (count === 0) return false;
      filled += count;
    }
    return Buffer.from(bytes).equals(wanted);
  } catch (error) {
    if (systemCode(error) === null) throw error;
    return false;
  } finally {
    if (descriptor !== null) disk.close(descriptor);
  }
}
