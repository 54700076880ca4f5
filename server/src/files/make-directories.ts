import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "./disk.ts";

/**
 * Makes a directory and its missing parents. Returns the topmost one that was made; null: all existed. Only
 * the last one gets `mode`; the umask narrows it.
 *
 * Does not use `mkdir` with `recursive`, which never returns on a file system such as /proc: there a new name
 * fails with ENOENT although the parent exists.
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
    // Some file systems fail with EROFS or EACCES, not EEXIST, for a directory that exists.
    const stats = code === "ENOENT" ? null : await stat(path).catch(() => null);
    if (stats?.isDirectory()) return "there";
    throw error;
  }
}
