import { createHash } from "node:crypto";
import { requireIdempotencyKey } from "@tierkeep/schema/domain/idempotency-keys";
import type { Principal } from "@tierkeep/schema/domain/principal";
import type { IdempotencyKey } from "../catalog/idempotency.ts";
import { canonicalJson } from "./canonical-json.ts";

/**
 * The facts that identify a request, with the checksum of its content. Excludes the wait for an answer, and
 * the key.
 */
export interface RequestFacts {
  readonly operation: string;
  readonly [input: string]: unknown;
}

/**
 * Returns the owner of idempotency keys: a text that is unique for each principal. The actor alone is not
 * enough, because credentials of one actor may be for different tenants. An actor that starts like JSON is
 * encoded as JSON, so that it cannot equal the text of another principal.
 */
export function requesterOf({ actor, tenants }: Principal): string {
  if (tenants === null) return actor.startsWith("[") ? JSON.stringify([actor, null]) : actor;
  return JSON.stringify([actor, [...new Set(tenants)].sort()]);
}

/**
 * Returns the idempotency key of a change; undefined for a request without one.
 *
 * @throws Refused BAD_USER_INPUT
 */
export function idempotencyKeyOf(
  principal: Principal,
  idempotencyKey: string | undefined,
  at: number,
  asked: RequestFacts,
): IdempotencyKey | undefined {
  if (idempotencyKey === undefined) return undefined;
  return {
    actor: requesterOf(principal),
    key: requireIdempotencyKey(idempotencyKey, "idempotencyKey"),
    fingerprint: createHash("sha256").update(canonicalJson(asked)).digest("hex"),
    at,
  };
}
