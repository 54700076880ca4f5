import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { requireIdentifier } from "@tierkeep/schema/domain/identifiers";
import type { Page, PageRequest } from "@tierkeep/schema/domain/pages";
import type { Principal } from "@tierkeep/schema/domain/principal";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { ApiKey, CreateApiKeyOptions, CreatedApiKey, KeyService } from "@tierkeep/schema/services/keys";
import type { Catalog } from "../catalog/catalog.ts";
import type { Clock } from "../engine/clock.ts";
import { idempotencyKeyOf } from "../engine/idempotency.ts";
import { connectionPage } from "./connection-page.ts";
import { keysetCursors, numberPositions } from "./keyset-cursor.ts";

/** The principal of a secret, and how long it is valid. */
export interface VerifiedKey {
  readonly principal: Principal;
  /** ms since the epoch; null: it does not expire. */
  readonly expiresAt: number | null;
  /** Aborts when the key is revoked. */
  readonly revoked: AbortSignal;
}

/** Prefix and format of every secret, so that people and secret scanners recognize it. */
const SECRET = /^tk_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;

const MAX_NAME_LENGTH = 100;
const MAX_TENANTS = 1000;
const MAX_DAYS = 3650;

/**
 * API keys of 256 random bits, stored as a SHA-256 digest. They need no slow hash because they cannot be
 * guessed.
 */
export class EngineKeys implements KeyService {
  readonly #catalog: Catalog;
  readonly #clock: Clock;
  /** Keys in use, cached so that not every request reads the catalog. Only this process changes keys. */
  readonly #known = new Map<string, { readonly digest: Buffer; readonly verified: VerifiedKey }>();
  readonly #revoking = new Map<string, AbortController>();
  readonly #revoked = new Set<string>();

  constructor(catalog: Catalog, clock: Clock) {
    this.#catalog = catalog;
    this.#clock = clock;
  }

  async create(principal: Principal, options: CreateApiKeyOptions): Promise<CreatedApiKey> {
    const { role, expiresInDays, idempotencyKey } = options;
    const name = requireName(options.name);
    const tenants = requireTenants(options);
    const now = this.#clock.now();
    const request = { operation: "createApiKey", name, role, tenants, expiresInDays };
    const once = idempotencyKeyOf(principal, idempotencyKey, now, request);
    const keyId = randomBytes(8).toString("hex");
    const secret = `tk_${keyId}_${randomBytes(32).toString("base64url")}`;
    const apiKey = await this.#catalog.commit({
      kind: "createApiKey",
      apiKey: {
        keyId,
        name,
        role,
        tenants,
        createdAt: now,
        createdBy: principal.actor,
        expiresAt: expiryOf(expiresInDays, now),
        revokedAt: null,
        revokedBy: null,
      },
      digest: digestOf(secret).toString("hex"),
      once,
    });
    return { apiKey, secret: apiKey.keyId === keyId ? secret : null };
  }

  async list(_principal: Principal, page: PageRequest): Promise<Page<ApiKey>> {
    return connectionPage(page, {
      cursors: keysetCursors({ list: "apiKeys" }, numberPositions),
      list: (window) => this.#catalog.listApiKeys(window),
      positionOf: ({ row }) => row,
      nodeOf: ({ apiKey }) => apiKey,
      count: () => this.#catalog.countApiKeys(),
      indexed: true,
    });
  }

  async revoke(principal: Principal, keyId: string, idempotencyKey?: string): Promise<ApiKey> {
    const at = this.#clock.now();
    const once = idempotencyKeyOf(principal, idempotencyKey, at, { operation: "revokeApiKey", keyId });
    try {
      const change = { kind: "revokeApiKey", at, actor: principal.actor, keyId, once } as const;
      const apiKey = await this.#catalog.commit(change);
      this.#end(keyId);
      return apiKey;
    } catch (error) {
      // The revocation may have been committed. Read its state, so that it takes effect now.
      this.#known.delete(keyId);
      await this.#load(keyId).catch(() => {});
      throw error;
    }
  }

  /** Rejects the key from now on, and aborts requests that use it. */
  #end(keyId: string): void {
    this.#revoked.add(keyId);
    this.#known.delete(keyId);
    this.#revoking.get(keyId)?.abort();
  }

  /** Returns the principal of a secret. Null if it is unknown, revoked or expired. */
  async verify(secret: string): Promise<VerifiedKey | null> {
    const keyId = SECRET.exec(secret)?.[1];
    if (keyId === undefined) return null;
    const known = this.#known.get(keyId) ?? (await this.#load(keyId));
    if (known === null || !timingSafeEqual(digestOf(secret), known.digest)) return null;
    const { expiresAt, revoked } = known.verified;
    if (revoked.aborted || (expiresAt !== null && expiresAt <= this.#clock.now())) return null;
    this.#known.set(keyId, known);
    return known.verified;
  }

  /** Returns a signal that is or will be aborted when this key is revoked. */
  async revocationOf(keyId: string): Promise<AbortSignal> {
    const known = this.#known.get(keyId) ?? (await this.#load(keyId));
    return known?.verified.revoked ?? AbortSignal.abort();
  }

  async #load(keyId: string) {
    const found = await this.#catalog.apiKey(keyId);
    if (found !== null && found.apiKey.revokedAt !== null) this.#end(keyId);
    // It may have been revoked while it was read.
    if (found === null || this.#revoked.has(keyId)) return null;
    const { role, tenants, expiresAt } = found.apiKey;
    const revoking = this.#revoking.get(keyId) ?? new AbortController();
    this.#revoking.set(keyId, revoking);
    const principal: Principal = { actor: `key:${keyId}`, role, tenants };
    return {
      digest: Buffer.from(found.digest, "hex"),
      verified: { principal, expiresAt, revoked: revoking.signal },
    };
  }
}

function digestOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

function requireName(name: string | undefined): string | null {
  if (name === undefined) return null;
  if (name.length > 0 && name.length <= MAX_NAME_LENGTH && !/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(name)) {
    return name;
  }
  throw new Refused(
    "BAD_USER_INPUT",
    `name must have 1 to ${MAX_NAME_LENGTH} characters, without invisible ones.`,
    { argument: "name" },
  );
}

/** Sorted and without duplicates, so that two spellings of one set are the same request. */
function requireTenants({ role, tenantIds }: CreateApiKeyOptions): readonly string[] | null {
  if (tenantIds === null) return null;
  if (role === "ADMIN") {
    throw new Refused(
      "BAD_USER_INPUT",
      "An ADMIN key covers all tenants. Leave tenantIds out, or choose another role.",
      {
        argument: "tenantIds",
      },
    );
  }
  if (tenantIds.length === 0 || tenantIds.length > MAX_TENANTS) {
    throw new Refused("BAD_USER_INPUT", `tenantIds must have 1 to ${MAX_TENANTS} tenants.`, {
      argument: "tenantIds",
    });
  }
  for (const [index, id] of tenantIds.entries()) requireIdentifier("tenantId", id, `tenantIds.${index}`);
  return [...new Set(tenantIds)].sort();
}

function expiryOf(days: number | undefined, now: number): number | null {
  if (days === undefined) return null;
  if (days > 0 && days <= MAX_DAYS) return Math.round(now + days * DAY_MS);
  throw new Refused("BAD_USER_INPUT", `expiresInDays must be more than 0 and at most ${MAX_DAYS}.`, {
    argument: "expiresInDays",
  });
}
