import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { newKeyPem, type SigningKey, signingKey } from "../audit/signing-key.ts";
import type { Config } from "../config/config.ts";
import { replaceFile } from "../files/replace-file.ts";
import { type StorePaths, systemCodeOf } from "./embedded/store-files.ts";
import { StartProblem } from "./start-problem.ts";

export interface OpenedAuditKey {
  readonly key: SigningKey;
  /** True if this call created the key. */
  readonly made: boolean;
}

/**
 * Reads the key that signs the audit log: that of AUDIT_SIGNING_KEY, else the store's own key.
 *
 * @param mayMake whether to create the store's own key if it is missing
 * @throws StartProblem
 */
export async function openAuditKey(
  { auditSigningKey }: Pick<Config, "auditSigningKey">,
  paths: StorePaths,
  mayMake: boolean,
): Promise<OpenedAuditKey> {
  const path = auditSigningKey ?? paths.auditKey;
  let pem: string;
  let made = false;
  try {
    pem = await readFile(path, "utf8");
  } catch (error) {
    const code = systemCodeOf(error);
    if (auditSigningKey !== null)
      throw new StartProblem(
        `AUDIT_SIGNING_KEY ${path} cannot be read (${code}). Name a file that this user can read.`,
      );
    if (code !== "ENOENT") throw new StartProblem(`${path} cannot be read (${code}).`);
    if (!mayMake) {
      throw new StartProblem(
        `${path}, the key that signs the audit log, is missing. Restore the key from a backup, or start \`tierkeep serve\`, which creates a new key and signs the log with it.`,
      );
    }
    pem = newKeyPem();
    await replaceFile(path, pem);
    made = true;
  }
  try {
    return { key: signingKey(pem), made };
  } catch {
    throw new StartProblem(
      auditSigningKey !== null
        ? `AUDIT_SIGNING_KEY ${path} is not an Ed25519 private key in PKCS#8 and PEM format without a passphrase. Create one with: openssl genpkey -algorithm ed25519`
        : `${path} is damaged. Restore the file from a backup; or delete it and start \`tierkeep serve\`, which creates a new key and signs the log with it.`,
    );
  }
}

/** Returns the fingerprint of the public key of the private key in this file; null: the file has no valid key. */
export function signingKeyIdAt(path: string): string | null {
  try {
    return signingKey(readFileSync(path, "utf8")).id;
  } catch {
    return null;
  }
}
