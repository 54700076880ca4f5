import type { Page, PageRequest } from "../domain/pages.ts";
import type { Principal, Role } from "../domain/principal.ts";

/**
 * An API key without its secret, which is not stored. Only the response to its creation contains the secret.
 */
export interface ApiKey {
  /**
   * 16 hexadecimal digits, which the secret also contains. A caller with this key has the actor `key:`
   * followed by them.
   */
  readonly keyId: string;
  readonly name: string | null;
  readonly role: Role;
  /** Null: all. */
  readonly tenants: readonly string[] | null;
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly createdBy: string;
  /** ms since the epoch; null: never. */
  readonly expiresAt: number | null;
  /** ms since the epoch; null if it is not revoked. */
  readonly revokedAt: number | null;
  readonly revokedBy: string | null;
}

export interface CreateApiKeyOptions {
  readonly name?: string | undefined;
  readonly role: Role;
  /** Null: all tenants, existing and future. */
  readonly tenantIds: readonly string[] | null;
  /** Default: the key does not expire. */
  readonly expiresInDays?: number | undefined;
  readonly idempotencyKey?: string | undefined;
}

export interface CreatedApiKey {
  readonly apiKey: ApiKey;
  /**
   * The secret of the key. Null on a retry with the same idempotency key, because the secret is not stored.
   */
  readonly secret: string | null;
}

export interface KeyService {
  /** @throws Refused FORBIDDEN, BAD_USER_INPUT, INVALID_IDENTIFIER, CONFLICT */
  create(principal: Principal, options: CreateApiKeyOptions): Promise<CreatedApiKey>;
  /**
   * Returns keys, newest first, including revoked and expired ones. @throws Refused FORBIDDEN, CURSOR_INVALID
   */
  list(principal: Principal, page: PageRequest): Promise<Page<ApiKey>>;
  /**
   * Revokes a key immediately, also for requests in progress. A key that is already revoked is returned
   * unchanged.
   *
   * @throws Refused FORBIDDEN, NOT_FOUND
   */
  revoke(principal: Principal, keyId: string, idempotencyKey?: string): Promise<ApiKey>;
}
