import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PUBLIC_KEY_FILE } from "../../src/audit/log-names.ts";
import { PublicKeys } from "../../src/audit/signing-key.ts";
import { shownProblem } from "../../src/audit/verdict.ts";
import { verifyLog } from "../../src/audit/verify.ts";
import type { OnDisk } from "./store-on-disk.ts";

/** Verifies the audit log of a store without a running server. Resolves with a sentence for the problem, if any. */
export async function verifyAuditLog({ dir }: OnDisk): Promise<string[]> {
  const directory = join(dir, "logs");
  const keys = new PublicKeys(readFileSync(join(directory, PUBLIC_KEY_FILE), "utf8"));
  const { problem } = await verifyLog({ directory, keys, waitTimeoutMs: 0 });
  return problem === null ? [] : [`Verification of the audit log failed: ${shownProblem(problem)}.`];
}
