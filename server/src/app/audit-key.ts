import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { newKeyPem, type SigningKey, signingKey } from "../audit/signing-key.ts";
import type { Config } from "../config/config.ts";
import { replaceFile } from "../files/replace-file.ts";
import { type StorePaths, systemCodeOf } from "./embedded/store-files.ts";
import { StartProblem } from "./start-problem.ts";

export interface OpenedAuditKey {
  readonly key: SigningKey;
  /** True where it was made just now. */
  readonly made: boolean;
}

/**
 * Reads the key that signs the audit log: that of AUDIT_SIGNING_KEY, else the store's own.
 *
 * @param mayMake whether to make the store's own key where it is missing
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
      throw new StartProblem(`AUDIT_SIGNING_KEY ${path} cannot be read (${code}).`);
    if (code !== "ENOENT") throw new StartProblem(`${path} cannot be read (${code}).`);
    if (!mayMake) {
      throw new StartProblem(
        `${path} is missing, which signs the audit log. Restore it from a backup, or start \`tierkeep serve\`: it makes another key and signs with that from then on.`,
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
        ? `AUDIT_SIGNING_KEY ${path} is no Ed25519 private key as PKCS#8 in PEM without a passphrase. Make one with: openssl genpkey -algorithm ed25519`
        : `${path} is damaged. Restore it from a backup; or remove it and start \`tierkeep serve\`: it makes another key and signs with that from then on.`,
    );
  }
}

/** The fingerprint of the public key that belongs to the private key in this file; null: it holds none. */
export function signingKeyIdAt(path: string): string | null {
  try {
    return signingKey(readFileSync(path, "utf8")).id;
  } catch {
    return null;
  }
}
