import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "./disk.ts";

/**
 * Makes a directory and the missing ones above it. Returns the topmost one that was made; null: all were there. Only the
 * last one gets `mode`; the umask narrows it.
 *
 * Not `mkdir` with `recursive`: it never returns below a file system such as /proc, which refuses a new name with ENOENT
 * though the parent is there.
 *
 * @throws the system's error
 */
export async function makeDirectories(path: string, mode = 0o777): Promise<string | null> {
  const first = await makeOne(path, mode);
  if (first !== "parent is missing") return first === "made" ? path : null;
  const made = await makeDirectories(dirname(path));
  const second = await makeOne(path, mode);
  if (second !== "parent is missing") return made ?? path;
  throw Object.assign(new Error(`ENOENT: no directory can be made there, mkdir '${path}'`), {
    code: "ENOENT",
    syscall: "mkdir",
    path,
  });
}

async function makeOne(path: string, mode: number): Promise<"made" | "there" | "parent is missing"> {
  try {
    await mkdir(path, { mode });
    return "made";
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" && dirname(path) !== path) return "parent is missing";
    // Some file systems refuse a directory that is there with EROFS or EACCES in place of EEXIST.
    const stats = code === "ENOENT" ? null : await stat(path).catch(() => null);
    if (stats?.isDirectory()) return "there";
    throw error;
  }
}
