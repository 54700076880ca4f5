import { randomBytes } from "node:crypto";
import { link, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TIERS, type Tier } from "@tierkeep/schema/domain/tiers";
import { systemCode } from "../../files/disk.ts";
import { makeDirectories } from "../../files/make-directories.ts";
import { Layout } from "./layout.ts";
import { STORE_MODES } from "./prepare-store.ts";
import { storageError } from "./storage-errors.ts";

/**
 * Tests whether objects below `root` can be linked into each tier's folder. Returns the tiers where they
 * cannot, and why. If the result is empty, the view can be published. @throws StorageError
 */
export async function probeLinks(
  root: string,
): Promise<readonly { readonly tier: Tier; readonly problem: string }[]> {
  const layout = new Layout(root);
  const name = `.tierkeep-probe-${randomBytes(8).toString("hex")}`;
  const object = join(layout.objects, name);
  const problems: { tier: Tier; problem: string }[] = [];
  try {
    await makeDirectories(layout.objects, STORE_MODES.private);
    await writeFile(object, "");
    for (const tier of TIERS) {
      const problem = await linkProblem(object, layout.tierDirectory(tier), name);
      if (problem !== null) problems.push({ tier, problem });
    }
  } catch (error) {
    throw storageError(error, "probeLinks");
  } finally {
    await rm(object, { force: true });
  }
  return problems;
}

async function linkProblem(object: string, directory: string, name: string): Promise<string | null> {
  const path = join(directory, name);
  try {
    await makeDirectories(directory, STORE_MODES.tier);
    await link(object, path);
    try {
      const [one, other] = [await stat(object, { bigint: true }), await stat(path, { bigint: true })];
      // Some network and overlay file systems make a copy where a link was requested.
      return one.ino === other.ino && one.dev === other.dev
        ? null
        : "its file system copies files instead of linking them";
    } finally {
      await rm(path);
    }
  } catch (error) {
    const code = systemCode(error);
    if (code === null) throw error;
    return code === "EXDEV" ? "it is on another volume" : `its file system rejects links (${code})`;
  }
}
