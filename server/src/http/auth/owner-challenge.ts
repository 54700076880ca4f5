import { createHmac, timingSafeEqual } from "node:crypto";
import { Refused } from "@tierkeep/schema/domain/refusals";

export const OWNER_PATH = "/.well-known/tierkeep-owner";
/** POST with the owner's token: purges apply a shortened retention immediately. */
export const CONFIRM_RETENTION_PATH = `${OWNER_PATH}/confirm-retention`;

/** The owner of an embedded store, as in its owner.json. */
export interface OwnerIdentity {
  /** New at each start. */
  readonly instance: string;
  readonly token: string;
}

const NONCE = /^[A-Za-z0-9_-]{16,128}$/;

/** Returns the answer to a nonce that proves knowledge of the token. */
export function ownerProof({ instance, token }: OwnerIdentity, nonce: string): string {
  return createHmac("sha256", token).update(`${instance}\n${nonce}`).digest("hex");
}

/**
 * Proves to a command that this server is the one in owner.json, before the command sends its token: another
 * program may listen on that port now.
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

/**
 * Runs `confirm` for a caller with the owner's token, such as a command on this machine.
 *
 * @throws Refused UNAUTHENTICATED
 */
export async function confirmRetention(
  request: Request,
  { token }: OwnerIdentity,
  confirm: () => Promise<boolean>,
): Promise<Response> {
  const given = /^Bearer +([\x21-\x7e]+)$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
  if (!isEqual(given, token)) {
    throw new Refused(
      "UNAUTHENTICATED",
      "Only a command on the store's own machine may confirm its retention. Run tierkeep settings confirm there.",
    );
  }
  return Response.json({ confirmed: await confirm() }, { headers: { "cache-control": "no-store" } });
}

function isEqual(given: string, expected: string): boolean {
  const [one, other] = [given, expected].map((text) => createHmac("sha256", expected).update(text).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}
