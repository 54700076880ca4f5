import { readFile } from "node:fs/promises";
import { newKeyPem, type SigningKey, signingKey } from "../audit/signing-key.ts";
import type { Config } from "../config/config.ts";
import { StartProblem } from "./exit-codes.ts";
import { replaceFile, type StorePaths, systemCodeOf } from "./store-files.ts";

/** The key that signs the audit log: the configured one, else the store's own, made at its first start. @throws StartProblem */
export async function openAuditKey({ auditSigningKey }: Config, paths: StorePaths): Promise<SigningKey> {
  const path = auditSigningKey ?? paths.auditKey;
  let pem: string;
  try {
    pem = await readFile(path, "utf8");
  } catch (error) {
    const code = systemCodeOf(error);
    if (auditSigningKey !== null)
      throw new StartProblem(`AUDIT_SIGNING_KEY ${path} cannot be read (${code}).`);
    if (code !== "ENOENT") throw new StartProblem(`${path} cannot be read (${code}).`);
    pem = newKeyPem();
    await replaceFile(path, pem);
  }
  try {
    return signingKey(pem);
  } catch {
    throw new StartProblem(
      auditSigningKey !== null
        ? `AUDIT_SIGNING_KEY ${path} is no Ed25519 private key as PKCS#8 in PEM without a passphrase. Make one with: openssl genpkey -algorithm ed25519`
        : `${path} is damaged. Bring it back from a backup, or remove it: the next start makes another key, and the log is signed with that from then on.`,
    );
  }
}
