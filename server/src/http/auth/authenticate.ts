import { createHash, timingSafeEqual } from "node:crypto";
import { type Credentials, LOCAL, unauthenticated } from "./credentials.ts";

/**
 * Authenticates a request.
 *
 * @param authorization value of the Authorization header, or of that name in a WebSocket's connection_init
 * @param attempt runs a costly check, or refuses to run it
 * @throws Refused UNAUTHENTICATED; errors of `attempt`
 */
export type Authenticate = (
  authorization: string | null,
  attempt: (check: () => Promise<Credentials>) => Promise<Credentials>,
) => Promise<Credentials>;

export interface AuthenticateParts {
  /** The token in owner.json, which commands on this machine read. */
  readonly ownerToken: string;
  /** Null: JWTs are not accepted. */
  readonly verifyJwt: ((token: string) => Promise<Credentials>) | null;
  /**
   * The credentials of an API key's secret; null if there is no valid key. Null: API keys are not accepted.
   */
  readonly verifyKey: ((secret: string) => Promise<Credentials | null>) | null;
}

/** Authenticates by bearer tokens: the owner's token, and the configured kinds. */
export function authenticator({ ownerToken, verifyJwt, verifyKey }: AuthenticateParts): Authenticate {
  const owner = sha256(ownerToken);
  async function credentialsOf(token: string | undefined): Promise<Credentials> {
    if (token === undefined) throw unauthenticated("no bearer token");
    if (verifyKey !== null && token.startsWith("tk_")) {
      const found = await verifyKey(token);
      if (found === null) throw unauthenticated("no valid API key");
      return found;
    }
    if (verifyJwt === null || token.split(".").length !== 3)
      throw unauthenticated("no token of a known kind");
    return await verifyJwt(token);
  }
  return async (authorization, attempt) => {
    // A missing header is not a guess, so it does not count as a failed attempt.
    if (authorization === null) throw unauthenticated("no credentials");
    const token = /^Bearer +([\x21-\x7e]+)$/i.exec(authorization)?.[1];
    // The owner of the machine is never locked out by failed attempts from its address.
    if (token !== undefined && timingSafeEqual(sha256(token), owner)) return LOCAL;
    return await attempt(() => credentialsOf(token));
  };
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
