import { stat } from "node:fs/promises";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { systemCodeOf } from "../app/embedded/store-files.ts";

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  ENOTDIR: "a part of the path is not a folder",
  EISDIR: "it is a folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "its symbolic links form a loop",
};

/**
 * Turns an error of a file operation into a refusal that names the file and the reason. Returns any other error unchanged.
 *
 * @param path the path to name; default: the one in the system's error
 */
export function localProblem(error: unknown, path?: string): unknown {
  if (!(error instanceof Error) || !("syscall" in error)) return error;
  const code = systemCodeOf(error);
  const where = path ?? ("path" in error ? String(error.path) : "A file");
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new Refused("STORAGE_FULL", `No space is left to write ${where}.`, {}, { cause: error });
  }
  return new Refused(
    "BAD_USER_INPUT",
    `${where} cannot be used: ${PROBLEMS[code] ?? code}.`,
    {},
    { cause: error },
  );
}

/** Returns what is at a path. @throws Refused if that cannot be determined */
export async function kindOf(path: string): Promise<"nothing" | "file" | "folder" | "other"> {
  try {
    const stats = await stat(path);
    return stats.isFile() ? "file" : stats.isDirectory() ? "folder" : "other";
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return "nothing";
    throw localProblem(error, path);
  }
}
