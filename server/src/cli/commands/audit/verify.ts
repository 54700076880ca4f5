import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { REFUSALS, Refused } from "@tierkeep/schema/domain/refusals";
import { systemCodeOf } from "../../../app/embedded/store-files.ts";
import { readConfig } from "../../../app/read-config.ts";
import { requireStoreAgreement } from "../../../app/settings/store-opening.ts";
import { StartProblem } from "../../../app/start-problem.ts";
import { SEGMENT_STARTS } from "../../../audit/checkpoint.ts";
import {
  CHECKPOINTS_FILE,
  isCompressedName,
  isLogName,
  PUBLIC_KEY_FILE,
  segmentName,
} from "../../../audit/log-names.ts";
import { PublicKeys } from "../../../audit/signing-key.ts";
import { type Head, shownProblem, type Verdict } from "../../../audit/verdict.ts";
import { verifyLog } from "../../../audit/verify.ts";
import type { Output } from "../../output/output.ts";
import { counted, formatInstant } from "../../output/quantity.ts";

export interface AuditVerifyOptions {
  /** Default: the log folder of the store. */
  readonly directory?: string | undefined;
  /** Default: the keys published beside the log. */
  readonly publicKey?: string | undefined;
  readonly expected: readonly Head[];
}

/** Verifies the log's files and shows the result. Returns exit code 0, or 7 if the log is not valid. */
export async function auditVerify(options: AuditVerifyOptions, output: Output): Promise<number> {
  const { publicKey, expected } = options;
  const directory = resolve(options.directory ?? storedLogDir());
  requireLog(directory, expected);
  const keys = readKeys(publicKey ?? join(directory, PUBLIC_KEY_FILE));
  if (publicKey === undefined) {
    output.note(
      `The public keys are from the log's own folder, where an attacker who changes the log can change them too. Their ids: ${keys.ids.join(", ")}`,
    );
  }
  const verdict = await verifyLog({ directory, keys, expected });
  output.value({ directory, keys: keys.ids, ...verdict });
  show(verdict, output);
  return verdict.problem === null ? 0 : REFUSALS.CHECKSUM_MISMATCH.exit;
}

function storedLogDir(): string {
  const config = readConfig();
  requireStoreAgreement(config);
  return config.logDir;
}

/**
 * Requires a log in the folder. With an expected head, a missing log is a result of the verification. Without one, the
 * folder is most likely the wrong one.
 *
 * @throws StartProblem, Refused NOT_FOUND
 */
function requireLog(directory: string, expected: readonly Head[]): void {
  let names: readonly string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    throw new StartProblem(
      `${directory} cannot be read (${systemCodeOf(error)}). Name the log's folder with --log-dir.`,
    );
  }
  if (expected.length > 0 || names.some((name) => isLogName(name) || name === CHECKPOINTS_FILE)) return;
  throw new Refused(
    "NOT_FOUND",
    `There is no audit log in ${directory}: neither ${segmentName(1)} nor ${CHECKPOINTS_FILE}. Name its folder with --log-dir.`,
  );
}

/** @throws StartProblem */
export function readKeys(file: string): PublicKeys {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new StartProblem(
      `The public key ${file} cannot be read (${systemCodeOf(error)}). Name it with --public-key.`,
    );
  }
  let keys: PublicKeys | null = null;
  try {
    keys = new PublicKeys(text);
  } catch {}
  if (keys === null || keys.ids.length === 0) {
    throw new StartProblem(
      `${file} contains no Ed25519 public key in PEM format. Name the file of the key with --public-key.`,
    );
  }
  return keys;
}

function show(verdict: Verdict, { text, note, style }: Output): void {
  const { problem, lines, unchainedLines, files, gaps, foreign, isBeingWritten, head } = verdict;
  for (const file of foreign)
    note(
      isCompressedName(file)
        ? `${file} is compressed and was not verified. Decompress it in the same folder to have it verified.`
        : `${file} does not begin with a line of this log and was ignored.`,
    );
  for (const { time, file, seq, reason } of gaps) {
    note(
      `Gap: ${file} continues after event ${seq}, signed at ${formatInstant(time)}: ${SEGMENT_STARTS[reason].means}.`,
    );
  }
  if (unchainedLines > 0) {
    note(
      `The first ${counted(unchainedLines, "line")} have no hash of the previous line ("prev"): only the last of these lines is verified.`,
    );
  }
  if (isBeingWritten) note("A server is writing to the log. Lines after the head below are not signed yet.");
  if (problem !== null) {
    text(style.red(`The audit log is not as it was signed: ${shownProblem(problem)}.`));
    if (problem.line !== null) text("Later lines could not be verified.");
    return;
  }
  text(
    style.green(`The audit log is as it was signed: ${counted(lines, "line")} in ${counted(files, "file")}.`),
  );
  if (head !== null) {
    text(
      `Store this head where an attacker who can change the log cannot change it (signed at ${formatInstant(head.time)}):`,
    );
    text(`--expect-head ${head.seq}:${head.hash}`);
  }
}
