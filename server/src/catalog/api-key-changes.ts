import type { ApiKey } from "@tierkeep/schema/services/keys";
import type { Attribution } from "./attribution.ts";
import type { Repeatable } from "./idempotency.ts";

/**
 * Stores a new API key and its API_KEY_CREATED event. Result: the key; a retry gets the key of the first
 * attempt.
 */
export interface CreateApiKeyChange extends Repeatable {
  readonly kind: "createApiKey";
  readonly apiKey: ApiKey;
  /** SHA-256 of the key's secret, hex. */
  readonly digest: string;
}

/**
 * Revokes an API key and writes an API_KEY_REVOKED event. Changes nothing where it is revoked already.
 * Result: the key. Refusal: NOT_FOUND.
 */
export interface RevokeApiKeyChange extends Attribution, Repeatable {
  readonly kind: "revokeApiKey";
  readonly keyId: string;
}
