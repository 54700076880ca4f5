import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { replaceFile } from "../../files/replace-file.ts";
import { type StorePaths, systemCodeOf } from "../embedded/store-files.ts";
import { StartProblem } from "../start-problem.ts";
import { parsedSettings, type StoredSettings } from "./stored.ts";

/** Version of the layout of files under STORAGE_BASE_PATH. A store with a newer layout is not opened. */
const LAYOUT = 1;

/** The content of config.json. */
export interface StoreFile {
  /** 16 bytes: seals event cursors. */
  readonly storeKey: Uint8Array;
  /** The store's public id, 32 hex digits; null: an earlier version created the store. */
  readonly storeId: string | null;
  /** Null: an earlier version created the store, and `tierkeep serve` has not opened it since. */
  readonly settings: StoredSettings | null;
  /** When a start found the catalog missing, ISO 8601; null: never, or a reindex has rebuilt it since. */
  readonly catalogLostAt: string | null;
}

export function newStoreFile(): StoreFile {
  return {
    storeKey: randomBytes(16),
    storeId: randomBytes(16).toString("hex"),
    settings: null,
    catalogLostAt: null,
  };
}

/** Reads config.json. @returns null if there is none @throws StartProblem */
export function readStoreFile(paths: Pick<StorePaths, "root" | "config">): StoreFile | null {
  let text: string;
  try {
    text = readFileSync(paths.config, "utf8");
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw new StartProblem(`${paths.config} cannot be read (${code}).`);
  }
  return parsedStoreFile(text, paths);
}

/** @throws StartProblem */
export function parsedStoreFile(text: string, paths: Pick<StorePaths, "root" | "config">): StoreFile {
  let stored: Readonly<Record<string, unknown>> | null = null;
  try {
    stored = JSON.parse(text);
  } catch {}
  if (typeof stored?.layout === "number" && stored.layout > LAYOUT) {
    throw new StartProblem(
      `The store ${paths.root} has layout ${stored.layout}, and this version of tierkeep supports layouts up to ${LAYOUT}. Use the newer version that wrote it.`,
    );
  }
  const { layout, storeKey, storeId = null, settings = null, catalogLostAt = null } = stored ?? {};
  const parsed = settings === null ? null : parsedSettings(settings);
  if (
    layout !== LAYOUT ||
    typeof storeKey !== "string" ||
    !/^[0-9a-f]{32}$/.test(storeKey) ||
    !isTextOrNull(storeId) ||
    !isTextOrNull(catalogLostAt) ||
    (settings !== null && parsed === null)
  ) {
    throw new StartProblem(
      `${paths.config} is damaged. Restore it from a backup; without it, event cursors are lost.`,
    );
  }
  return { storeKey: Buffer.from(storeKey, "hex"), storeId, settings: parsed, catalogLostAt };
}

/** Replaces config.json atomically. Durable when it resolves. */
export async function writeStoreFile(paths: Pick<StorePaths, "config">, file: StoreFile): Promise<void> {
  await replaceFile(paths.config, storeFileText(file));
}

export function storeFileText({ storeKey, storeId, settings, catalogLostAt }: StoreFile): string {
  const stored = {
    layout: LAYOUT,
    storeKey: Buffer.from(storeKey).toString("hex"),
    ...(storeId !== null && { storeId }),
    ...(settings !== null && { settings }),
    ...(catalogLostAt !== null && { catalogLostAt }),
  };
  return `${JSON.stringify(stored, null, 2)}\n`;
}

/**
 * none: there is no store. lost: there is a store without its catalog. there: anything else, which a start has to check.
 */
export function storeState(paths: StorePaths): "none" | "lost" | "there" {
  if (existsSync(paths.unfinishedRestore) || existsSync(paths.catalog)) return "there";
  return existsSync(paths.config) ? "lost" : "none";
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}
