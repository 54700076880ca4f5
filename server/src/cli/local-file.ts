import { stat } from "node:fs/promises";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { systemCodeOf } from "../app/embedded/store-files.ts";

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  ENOTDIR: "a part of the path is no folder",
  EISDIR: "it is a folder",
  EACCES: "this user may not use it",
  EPERM: "this user may not use it",
  EROFS: "the file system is read-only",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "its links go round in circles",
};

/**
 * What failed with a file on this machine, as a refusal that says so; what is no such failure comes back as it is.
 *
 * @param path what to name; default: what the system names
 */
export function localProblem(error: unknown, path?: string): unknown {
  if (!(error instanceof Error) || !("syscall" in error)) return error;
  const code = systemCodeOf(error);
  const where = path ?? ("path" in error ? String(error.path) : "A file");
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new Refused("STORAGE_FULL", `There is no room left to write ${where}.`, {}, { cause: error });
  }
  return new Refused(
    "BAD_USER_INPUT",
    `${where} cannot be used: ${PROBLEMS[code] ?? code}.`,
    {},
    { cause: error },
  );
}

/** What stands at a path. @throws Refused for one that cannot be looked at */
export async function kindOf(path: string): Promise<"nothing" | "file" | "folder" | "other"> {
  try {
    const stats = await stat(path);
    return stats.isFile() ? "file" : stats.isDirectory() ? "folder" : "other";
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return "nothing";
    throw localProblem(error, path);
  }
}
