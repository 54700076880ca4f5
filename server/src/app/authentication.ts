import type { AuthConfig, Config } from "../config/config.ts";
import { type Authenticate, authenticator } from "../http/auth/authenticate.ts";
import { jwtKeys } from "../http/auth/jwt-keys.ts";
import { throttled } from "../http/auth/verified-tokens.ts";
import { type JwtRules, jwtVerifier } from "../http/auth/verify-jwt.ts";
import type { EngineKeys } from "../services/key-service.ts";
import { systemCodeOf } from "./embedded/store-files.ts";
import { StartProblem } from "./start-problem.ts";

/** Returns the configured authentication; null: none. @throws StartProblem for an invalid key file */
export async function openAuthentication(
  { auth }: Pick<Config, "auth">,
  ownerToken: string,
  keys: EngineKeys,
): Promise<Authenticate | null> {
  if (auth === null) return null;
  const key = await jwtKey(auth);
  return authenticator({
    ownerToken,
    verifyJwt: key === null ? null : throttled(jwtVerifier({ ...auth, key, previousKey: previousKey(auth) })),
    verifyKey: auth.apiKeys ? (secret) => keys.verify(secret) : null,
  });
}

function previousKey({ previousJwtSecret }: AuthConfig): Uint8Array | null {
  return previousJwtSecret === null ? null : Buffer.from(previousJwtSecret);
}

async function jwtKey({ jwtSecret, jwksUrl }: AuthConfig): Promise<JwtRules["key"] | null> {
  if (jwtSecret !== null) return Buffer.from(jwtSecret);
  if (jwksUrl === null) return null;
  const url = new URL(jwksUrl);
  const keys = jwtKeys(url);
  // An issuer may be unreachable at the start. A file must be valid.
  if (url.protocol === "file:") {
    await keys.reload().catch((error: unknown) => {
      throw new StartProblem(
        `AUTH_JWKS_URL ${url.href} cannot be used (${systemCodeOf(error)}). Name a file with a JSON Web Key Set of public keys.`,
      );
    });
  }
  return keys;
}
