import type { Page, PageRequest } from "../domain/pages.ts";
import type { Principal, Role } from "../domain/principal.ts";

/** What is known of an API key. Its secret is not: only who was shown it when it was made has that. */
export interface ApiKey {
  /** 16 hexadecimal digits, which stand in the secret, too. Who comes with it is the actor `key:` and these. */
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
  /** ms since the epoch; null: it is not. */
  readonly revokedAt: number | null;
  readonly revokedBy: string | null;
}

export interface CreateApiKeyOptions {
  readonly name?: string | undefined;
  readonly role: Role;
  /** Null: all of them, now and later. */
  readonly tenantIds: readonly string[] | null;
  /** Undefined: it does not expire. */
  readonly expiresInDays?: number | undefined;
  readonly idempotencyKey?: string | undefined;
}

export interface CreatedApiKey {
  readonly apiKey: ApiKey;
  /** What its holder shows. Null where this repeats a call that has shown it: it is kept nowhere. */
  readonly secret: string | null;
}

export interface KeyService {
  /** @throws Refused FORBIDDEN, BAD_USER_INPUT, INVALID_IDENTIFIER, CONFLICT */
  create(principal: Principal, options: CreateApiKeyOptions): Promise<CreatedApiKey>;
  /** Newest first, revoked and expired ones included. @throws Refused FORBIDDEN, CURSOR_INVALID */
  list(principal: Principal, page: PageRequest): Promise<Page<ApiKey>>;
  /** It is good no longer from now on, whatever is under way. One that is revoked already stays as it is. @throws Refused FORBIDDEN, NOT_FOUND */
  revoke(principal: Principal, keyId: string, idempotencyKey?: string): Promise<ApiKey>;
}
