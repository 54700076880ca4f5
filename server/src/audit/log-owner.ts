import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { replaceFile } from "../files/replace-file.ts";

/** Names the store that owns a folder of the audit log. */
export const LOG_OWNER_FILE = "tierkeep-store.json";

export interface LogOwner {
  /** Public id of the store. A copy of a store has the same id. */
  readonly store: string;
  /** Absolute path of the store's folder, without symbolic links. */
  readonly path: string;
  /** Host name: the same path on another host is another folder. */
  readonly host: string;
}

/** The folder belongs to another store. The message continues a sentence that starts with the folder. */
export class LogOfAnotherStoreError extends Error {
  override readonly name = "LogOfAnotherStoreError";
  /** What to do if the folder is free although it names another store. Null: it is not free. */
  readonly remedy: string | null;

  constructor(message: string, remedy: string | null) {
    super(message);
    this.remedy = remedy;
  }
}

/** @throws LogOfAnotherStoreError if the folder belongs to a store other than `ours` */
export function requireOwnLog(directory: string, ours: LogOwner): void {
  const owner = readOwner(directory);
  if (owner !== null) requireOurs(owner, directory, ours);
}

/**
 * Makes an existing folder belong to `ours`. Durable when it resolves.
 *
 * @throws LogOfAnotherStoreError if it belongs to another store
 */
export async function claimLog(directory: string, ours: LogOwner): Promise<void> {
  const path = join(directory, LOG_OWNER_FILE);
  const owner = readOwner(directory);
  if (owner !== null) {
    requireOurs(owner, directory, ours);
    if (owner.store === ours.store && owner.path === ours.path && owner.host === ours.host) return;
  }
  try {
    // Where two stores claim an unclaimed folder concurrently, one of them succeeds.
    await replaceFile(path, `${JSON.stringify(ours, null, 2)}\n`, owner === null ? "reject" : "replace");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    requireOwnLog(directory, ours);
  }
}

function requireOurs(owner: LogOwner, directory: string, ours: LogOwner): void {
  const isHere = owner.host === ours.host;
  if (isHere && owner.path === ours.path) return;
  const use = isHere ? useOf(owner, directory, ours) : "unknown";
  // The named store keeps its log elsewhere by now, or this folder is a copy of its log.
  if (use === "elsewhere") return;
  if (owner.store !== ours.store) {
    throw new LogOfAnotherStoreError(
      `belongs to the store in ${owner.path}`,
      `if that store is gone, delete ${join(directory, LOG_OWNER_FILE)}`,
    );
  }
  // If the other path has no store any more, the store was moved.
  if (use === "this folder") {
    throw new LogOfAnotherStoreError(
      `belongs to the store in ${owner.path}, of which this one is a copy`,
      null,
    );
  }
}

/** Returns whether the store named by a folder still keeps its log there. */
function useOf(owner: LogOwner, directory: string, ours: LogOwner): "this folder" | "elsewhere" | "unknown" {
  const configOf = (root: string) => join(root, ".tierkeep", "config.json");
  try {
    const { storeId, settings } = JSON.parse(readFileSync(configOf(owner.path), "utf8")) as {
      readonly storeId?: unknown;
      readonly settings?: { readonly values?: { readonly LOG_DIR?: { readonly value?: unknown } } };
    };
    // One folder may have two paths.
    if (storeId !== owner.store || isSameFile(configOf(owner.path), configOf(ours.path))) return "unknown";
    const logs = settings?.values?.LOG_DIR?.value;
    if (typeof logs !== "string") return "this folder";
    return isSameFile(resolve(owner.path, logs), directory) ? "this folder" : "elsewhere";
  } catch {
    return "unknown";
  }
}

/** Returns false if one of the files is missing. */
function isSameFile(one: string, other: string): boolean {
  const [left, right] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return left !== undefined && right !== undefined && left.dev === right.dev && left.ino === right.ino;
}

/** @returns null if the folder belongs to no store yet */
function readOwner(directory: string): LogOwner | null {
  const path = join(directory, LOG_OWNER_FILE);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (["ENOENT", "ENOTDIR"].includes(code)) return null;
    throw new LogOfAnotherStoreError("may belong to another store", `${path} cannot be read (${code})`);
  }
  try {
    const { store, path: folder, host } = JSON.parse(text) as Partial<LogOwner>;
    if (typeof store === "string" && typeof folder === "string" && typeof host === "string")
      return { store, path: folder, host };
  } catch {}
  throw new LogOfAnotherStoreError(
    "may belong to another store",
    `${path} is damaged: delete it if no store uses the folder`,
  );
}
