import { createHmac } from "node:crypto";
import { Refused } from "@tierkeep/schema/domain/refusals";

export const OWNER_PATH = "/.well-known/tierkeep-owner";

/** Who an owner of an embedded store is, as its owner.json says. */
export interface OwnerIdentity {
  /** New at each start. */
  readonly instance: string;
  readonly token: string;
}

const NONCE = /^[A-Za-z0-9_-]{16,128}$/;

/** What only somebody who knows the token can say of a nonce. */
export function ownerProof({ instance, token }: OwnerIdentity, nonce: string): string {
  return createHmac("sha256", token).update(`${instance}\n${nonce}`).digest("hex");
}

/**
 * Proves to a command that this server is the one that owner.json names, before the command sends its token: another
 * program may listen at that port by now.
 */
export function ownerChallenge(request: Request, identity: OwnerIdentity): Response {
  const nonce = new URL(request.url).searchParams.get("nonce") ?? "";
  if (!NONCE.test(nonce)) {
    throw new Refused("BAD_USER_INPUT", "nonce must be 16 to 128 characters of base64url.", {
      argument: "nonce",
    });
  }
  return Response.json(
    { instance: identity.instance, proof: ownerProof(identity, nonce) },
    { headers: { "cache-control": "no-store" } },
  );
}
