import { identifierProblem } from "@tierkeep/schema/domain/identifiers";
import { ROLES, type Role } from "@tierkeep/schema/domain/principal";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import { z } from "zod";
import { type Credentials, unauthenticated } from "./credentials.ts";

export interface JwtRules {
  /** The HS256 secret, or a function that finds a public key. */
  readonly key: Uint8Array | JWTVerifyGetKey;
  /** The previous secret. Tokens that it signed are accepted too. */
  readonly previousKey?: Uint8Array | null;
  /** Null: any. */
  readonly issuer: string | null;
  /** Null: any. */
  readonly audience: string | null;
}

/** Seconds by which the issuer's clock may be ahead. Expiry has no such tolerance. */
const CLOCK_AHEAD_SECONDS = 5;

/** Names that a token may not use as its actor, because they have another meaning. */
const RESERVED_ACTOR = /^(?:local|schedule|system|anonymous|key:.*)$/i;

const ACTOR = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => !/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(text) && !RESERVED_ACTOR.test(text));

/** A role in upper or lower case, in ASCII letters only. toUpperCase alone would turn a dotless i into the I of ADMIN. */
const ROLE = z
  .string()
  .regex(/^[A-Za-z]+$/)
  .transform((text) => text.toUpperCase())
  .pipe(z.enum(ROLES));

const TENANTS = z.array(z.string().refine((id) => identifierProblem("tenantId", id) === null)).max(1000);

/** An ADMIN has all tenants. Other roles must state `tenants`, so that its omission does not grant all of them. */
const CLAIM = z
  .object({ role: ROLE, tenants: TENANTS.nullish() })
  .refine(({ role, tenants }) => (role === "ADMIN" ? tenants == null : tenants !== undefined));

/**
 * Verifies a JSON Web Token: its signature by the algorithm of the configured key, then issuer, audience,
 * expiry (required), `nbf`, `sub` (the actor) and the claim `tierkeep: { role, tenants }`.
 *
 * @throws Refused UNAUTHENTICATED; UNAVAILABLE if the issuer's keys are not available
 */
export function jwtVerifier(rules: JwtRules): (token: string) => Promise<Credentials> {
  const { key, previousKey = null, issuer, audience } = rules;
  // Never accept a public key as an HS256 secret.
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

/** Returns the refusal for an error of jose. The codes of jose contain nothing of the token. */
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
      "The keys to verify tokens are not available right now. Try again.",
      {},
      { cause: error },
    );
  }
  return unauthenticated(error.code);
}

/** Returns true if jose could not fetch the key set, or if the response is not a key set. */
function isBrokenSet(error: errors.JOSEError): boolean {
  return error instanceof errors.JWKSInvalid || error.constructor === errors.JOSEError;
}
