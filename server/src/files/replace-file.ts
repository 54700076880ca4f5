import { randomBytes } from "node:crypto";
import { link, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Writes a file that only this user can read, atomically: readers see the old content or the new one. Durable when it
 * resolves. The backup writes its files through `Disk` instead, where tests make each step fail.
 *
 * @param existing "reject": fails with EEXIST where the file exists, also when two processes create it concurrently
 * @throws the system's error; then the old content is unchanged
 */
export async function replaceFile(
  path: string,
  text: string,
  existing: "replace" | "reject" = "replace",
): Promise<void> {
  const temporary = `${path}.${randomBytes(8).toString("hex")}.tmp`;
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    if (existing === "replace") await rename(temporary, path);
    else await link(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  const directory = await open(dirname(path), "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
