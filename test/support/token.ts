import { createHmac } from "node:crypto";

export const TOKEN_SECRET = "a secret that only issuer and server know";

export interface TokenClaims {
  readonly actor?: string;
  readonly role?: string;
  readonly tenants?: readonly string[] | null;
  readonly expiresInSeconds?: number;
  /** Default: TOKEN_SECRET. */
  readonly secret?: string;
}

/** Returns a JSON Web Token signed with HS256. Default: an administrator's token, valid for one hour. */
export function tokenOf({
  actor = "ada",
  role = "ADMIN",
  tenants,
  expiresInSeconds = 3600,
  secret = TOKEN_SECRET,
}: TokenClaims = {}) {
  const exp = Math.floor(Date.now() / 1000) + expiresInSeconds;
  const parts = [{ alg: "HS256" }, { sub: actor, exp, tierkeep: { role, tenants } }].map(encoded).join(".");
  return `${parts}.${createHmac("sha256", secret).update(parts).digest("base64url")}`;
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
