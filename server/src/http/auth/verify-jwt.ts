import { identifierProblem } from "@tierkeep/schema/domain/identifiers";
import { ROLES, type Role } from "@tierkeep/schema/domain/principal";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import { z } from "zod";
import { type Credentials, unauthenticated } from "./credentials.ts";

export interface JwtRules {
  /** The secret of HS256, or what finds a public key. */
  readonly key: Uint8Array | JWTVerifyGetKey;
  /** The secret before `key`. A token that it signs is accepted as well. */
  readonly previousKey?: Uint8Array | null;
  /** Null: any. */
  readonly issuer: string | null;
  /** Null: any. */
  readonly audience: string | null;
}

/** How far ahead the issuer's clock may be. Expiry is by this machine's clock alone. */
const CLOCK_AHEAD_SECONDS = 5;

/** What is no actor of a token: others act under these names. */
const RESERVED_ACTOR = /^(?:local|schedule|system|anonymous|key:.*)$/i;

const ACTOR = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => !/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(text) && !RESERVED_ACTOR.test(text));

/** In any case of ASCII letters. toUpperCase would make ADMIN of a name with a dotless i. */
const ROLE = z
  .string()
  .regex(/^[A-Za-z]+$/)
  .transform((text) => text.toUpperCase())
  .pipe(z.enum(ROLES));

const TENANTS = z.array(z.string().refine((id) => identifierProblem("tenantId", id) === null)).max(1000);

/** An administrator has all tenants; for any other role the list must be there, so that one who is forgotten gets none. */
const CLAIM = z
  .object({ role: ROLE, tenants: TENANTS.nullish() })
  .refine(({ role, tenants }) => (role === "ADMIN" ? tenants == null : tenants !== undefined));

/**
 * Verifies a JSON Web Token: its signature by the one kind of algorithm that goes with the configured key, then issuer,
 * audience, expiry (which it must have), `nbf`, `sub` (the actor) and the claim `tierkeep: { role, tenants }`.
 *
 * @throws Refused UNAUTHENTICATED; UNAVAILABLE where the issuer's keys cannot be had
 */
export function jwtVerifier(rules: JwtRules): (token: string) => Promise<Credentials> {
  const { key, previousKey = null, issuer, audience } = rules;
  // A public key is no secret: it must never be taken for one.
  const algorithms = key instanceof Uint8Array ? ["HS256"] : ["RS256", "ES256"];
  const options = {
    algorithms,
    clockTolerance: CLOCK_AHEAD_SECONDS,
    requiredClaims: ["exp", "sub"],
    ...(issuer !== null && { issuer }),
    ...(audience !== null && { audience }),
  };
  async function verified(token: string) {
    if (!(key instanceof Uint8Array)) return jwtVerify(token, key, options);
    try {
      return await jwtVerify(token, key, options);
    } catch (error) {
      if (previousKey === null || !(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
      return jwtVerify(token, previousKey, options);
    }
  }
  return async (token) => {
    let payload: JWTPayload;
    try {
      ({ payload } = await verified(token));
    } catch (error) {
      throw refusalOf(error);
    }
    const expiresAt = (payload.exp as number) * 1000;
    if (expiresAt <= Date.now()) throw unauthenticated("ERR_JWT_EXPIRED");
    const claim = CLAIM.safeParse(payload.tierkeep);
    if (!claim.success) throw unauthenticated("the claim tierkeep is not { role, tenants }");
    const actor = ACTOR.safeParse(payload.sub);
    if (!actor.success) throw unauthenticated("sub is not the name of an actor");
    const role: Role = claim.data.role;
    const principal = { actor: actor.data, role, tenants: claim.data.tenants ?? null };
    return { principal, expiresAt, revoked: null };
  };
}

/** By jose's codes, which repeat nothing of the token. */
function refusalOf(error: unknown): Refused {
  // jose throws this for an RSA key of less than 2048 bits, which RFC 7518 forbids.
  if (error instanceof TypeError && /modulusLength/.test(error.message)) {
    return unauthenticated("the RSA key has less than 2048 bits");
  }
  if (error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired) {
    return unauthenticated(`${error.code}: ${error.claim}`);
  }
  if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError) || isBrokenSet(error)) {
    return new Refused(
      "UNAVAILABLE",
      "The keys that tokens are verified with cannot be had right now. Try again.",
      {},
      { cause: error },
    );
  }
  return unauthenticated(error.code);
}

/** What jose says of a key set that could not be fetched, or is none. */
function isBrokenSet(error: errors.JOSEError): boolean {
  return error instanceof errors.JWKSInvalid || error.constructor === errors.JOSEError;
}
