import { existsSync, readdirSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { REFUSALS } from "@tierkeep/schema/domain/refusals";
import { type StorePaths, systemCodeOf } from "../../../app/embedded/store-files.ts";
import { isLogName, PUBLIC_KEY_FILE } from "../../../audit/log-names.ts";
import { shownProblem } from "../../../audit/verdict.ts";
import { verifyLog } from "../../../audit/verify.ts";
import { counted, formatBytes } from "../../output/quantity.ts";
import { readKeys } from "../audit/verify.ts";

/** Minimum free space. With less, writes may soon fail, and only purges succeed. */
const LEAST_FREE_BYTES = 2 ** 30;

/** The result of one check. */
export interface Check {
  readonly check: string;
  readonly ok: boolean;
  /** The result as a sentence and, if it is a problem, what to do. */
  readonly message: string;
  /** The exit code for this problem; 0: no problem. */
  readonly exit: number;
}

/** Checks free space and the audit log of a store on this machine. */
export async function* localChecks(paths: StorePaths): AsyncGenerator<Check> {
  yield await spaceCheck("STORAGE_BASE_PATH", paths.root);
  yield await spaceCheck("LOG_DIR", paths.logs);
  yield await auditCheck(paths.logs);
}

async function spaceCheck(setting: string, folder: string): Promise<Check> {
  const check = `space ${setting}`;
  try {
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    if (free >= LEAST_FREE_BYTES) return passed(check, `${formatBytes(free)} are free at ${folder}.`);
    return failed(
      check,
      `Only ${formatBytes(free)} are free at ${folder}. Free space, or purge artifacts. On a full disk, writes fail.`,
      REFUSALS.STORAGE_FULL.exit,
    );
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return passed(check, `${folder} does not exist yet.`);
    return failed(
      check,
      `${folder} cannot be read (${systemCodeOf(error)}).`,
      REFUSALS.TIER_UNAVAILABLE.exit,
    );
  }
}

async function auditCheck(directory: string): Promise<Check> {
  const check = "audit log";
  try {
    if (!existsSync(directory) || !readdirSync(directory).some(isLogName))
      return passed(check, "The log is empty.");
    const keys = readKeys(join(directory, PUBLIC_KEY_FILE));
    const { problem, lines, files } = await verifyLog({ directory, keys, expected: [] });
    if (problem === null)
      return passed(
        check,
        `The log is as it was signed: ${counted(lines, "line")} in ${counted(files, "file")}.`,
      );
    return failed(
      check,
      `The log is not as it was signed: ${shownProblem(problem)}. Keep a copy of ${directory} as it is, and compare it with a backup. tierkeep audit verify shows details.`,
      REFUSALS.CHECKSUM_MISMATCH.exit,
    );
  } catch (error) {
    return failed(check, (error as Error).message, REFUSALS.TIER_UNAVAILABLE.exit);
  }
}

export function passed(check: string, message: string): Check {
  return { check, ok: true, message, exit: 0 };
}

export function failed(check: string, message: string, exit: number): Check {
  return { check, ok: false, message, exit };
}
