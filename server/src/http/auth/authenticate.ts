import { createHash, timingSafeEqual } from "node:crypto";
import { type Credentials, LOCAL, unauthenticated } from "./credentials.ts";

/**
 * Finds out who asks.
 *
 * @param authorization the value of an Authorization header, or of the same name in a WebSocket's connection_init
 * @param attempt does what it costs something to find out; it may refuse to
 * @throws Refused UNAUTHENTICATED; what `attempt` throws
 */
export type Authenticate = (
  authorization: string | null,
  attempt: (recognise: () => Promise<Credentials>) => Promise<Credentials>,
) => Promise<Credentials>;

export interface AuthenticateParts {
  /** What commands on this machine read in owner.json. */
  readonly ownerToken: string;
  /** Null: none are taken. */
  readonly verifyJwt: ((token: string) => Promise<Credentials>) | null;
  /** Whose key a secret is; answers null where it is nobody's. Null: none are taken. */
  readonly verifyKey: ((secret: string) => Promise<Credentials | null>) | null;
}

/** By bearer tokens: the owner's own, and what is configured. */
export function authenticator({ ownerToken, verifyJwt, verifyKey }: AuthenticateParts): Authenticate {
  const owner = sha256(ownerToken);
  async function recognise(token: string | undefined): Promise<Credentials> {
    if (token === undefined) throw unauthenticated("no bearer token");
    if (verifyKey !== null && token.startsWith("tk_")) {
      const found = await verifyKey(token);
      if (found === null) throw unauthenticated("no API key that is valid now");
      return found;
    }
    if (verifyJwt === null || token.split(".").length !== 3)
      throw unauthenticated("no token of a known kind");
    return await verifyJwt(token);
  }
  return async (authorization, attempt) => {
    // Who shows nothing guesses nothing.
    if (authorization === null) throw unauthenticated("no credentials");
    const token = /^Bearer +([\x21-\x7e]+)$/i.exec(authorization)?.[1];
    // Whoever owns the machine can act on it, whatever others at its address do.
    if (token !== undefined && timingSafeEqual(sha256(token), owner)) return LOCAL;
    return await attempt(() => recognise(token));
  };
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
