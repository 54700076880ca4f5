import { createHash } from "node:crypto";
import { requireIdempotencyKey } from "@tierkeep/schema/domain/idempotency-keys";
import type { Principal } from "@tierkeep/schema/domain/principal";
import type { IdempotencyKey } from "../catalog/idempotency.ts";
import { canonicalJson } from "./canonical-json.ts";

/** All that says what is asked for; of content its checksum. Not how long to wait for an answer, and not the key. */
export interface RequestFacts {
  readonly operation: string;
  readonly [input: string]: unknown;
}

/**
 * The owner of idempotency keys: one text for each principal, and different texts for different principals. The actor
 * alone is not enough, since credentials of one actor may be for different tenants. An actor that begins like JSON is
 * written as JSON, so that it cannot be the text of another principal.
 */
export function requesterOf({ actor, tenants }: Principal): string {
  if (tenants === null) return actor.startsWith("[") ? JSON.stringify([actor, null]) : actor;
  return JSON.stringify([actor, [...new Set(tenants)].sort()]);
}

/**
 * What makes a change one that may be repeated; undefined where it came without an idempotency key.
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
