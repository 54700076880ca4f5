import type { ApiKey } from "@tierkeep/schema/services/keys";
import type { Attribution } from "./attribution.ts";
import type { Repeatable } from "./idempotency.ts";

/** Keeps a new API key, and an API_KEY_CREATED event. Result: the key, which under an idempotency key is the first one. */
export interface CreateApiKeyChange extends Repeatable {
  readonly kind: "createApiKey";
  readonly apiKey: ApiKey;
  /** SHA-256, hex, of its secret. */
  readonly digest: string;
}

/** From now on the key is no key; an API_KEY_REVOKED event says who revoked it. Nothing happens where it is that already. Result: the key. Refusal: NOT_FOUND. */
export interface RevokeApiKeyChange extends Attribution, Repeatable {
  readonly kind: "revokeApiKey";
  readonly keyId: string;
}
