import { createHash } from "node:crypto";
import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { Principal } from "@tierkeep/schema/domain/principal";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { OpenedCatalog } from "../../testing/catalog/opened-catalog.ts";
import { anyCatalog } from "../../testing/sqlite/catalog-in-temp-dir.ts";
import { EngineKeys } from "./key-service.ts";

const ADMIN: Principal = { actor: "ada", role: "ADMIN", tenants: null };
const FIRST_PAGE = { limit: 10, backward: false, after: null, before: null };
const WRITER = { role: "WRITER", tenantIds: ["acme", "zeta"] } as const;

let opened: OpenedCatalog;
let now: number;
let keys: EngineKeys;

const clock = { now: () => now };
/** Returns the keys as the next process would load them. */
const known = () => new EngineKeys(opened.catalog, clock);

beforeEach(async () => {
  opened = await anyCatalog();
  now = Date.UTC(2026, 0, 1);
  keys = known();
});
afterEach(() => opened[Symbol.asyncDispose]());

async function newKey(options: Partial<Parameters<EngineKeys["create"]>[1]> = {}) {
  const { apiKey, secret } = await keys.create(ADMIN, { ...WRITER, ...options });
  return { apiKey, secret: secret as string };
}

const events = () => opened.catalog.listEvents({}, "ASC", { ...FIRST_PAGE, after: null, before: null });

describe("EngineKeys.verify", () => {
  it("returns the key's role and tenants, in this process and the next one", async () => {
    const { apiKey, secret } = await newKey({ expiresInDays: 90 });
    for (const some of [keys, known()]) {
      expect(await some.verify(secret)).toMatchObject({
        principal: { actor: `key:${apiKey.keyId}`, role: "WRITER", tenants: ["acme", "zeta"] },
        expiresAt: now + 90 * DAY_MS,
      });
    }
  });

  it("accepts a secret of 256 random bits, of which only a digest is stored", async () => {
    const { apiKey, secret } = await newKey({ idempotencyKey: "k" });
    expect(Buffer.from(secret.slice(-43), "base64url")).toHaveLength(32);
    const row = await opened.catalog.apiKey(apiKey.keyId);
    expect(row?.digest).toBe(createHash("sha256").update(secret).digest("hex"));
    expect(JSON.stringify([row, await events(), await keys.list(ADMIN, FIRST_PAGE)])).not.toContain(
      secret.slice(-43),
    );
  });

  it("rejects a key from the instant at which it expires", async () => {
    const { secret } = await newKey({ expiresInDays: 1 });
    now += DAY_MS - 1;
    for (const some of [keys, known()]) expect(await some.verify(secret)).not.toBeNull();
    now += 1;
    for (const some of [keys, known()]) expect(await some.verify(secret)).toBeNull();
  });

  it("rejects a revoked key, and aborts requests that use it", async () => {
    const { apiKey, secret } = await newKey();
    const verified = await keys.verify(secret);
    expect(verified?.revoked.aborted).toBe(false);
    await keys.revoke(ADMIN, apiKey.keyId);
    expect(verified?.revoked.aborted).toBe(true);
    for (const some of [keys, known()]) expect(await some.verify(secret)).toBeNull();
  });

  it("rejects a key that is revoked while it is verified", async () => {
    const { apiKey, secret } = await newKey();
    const [verified] = await Promise.all([keys.verify(secret), keys.revoke(ADMIN, apiKey.keyId)]);
    expect(verified === null || verified.revoked.aborted).toBe(true);
    expect(await keys.verify(secret)).toBeNull();
  });

  it.each([
    ["is another's", (secret: string, other: string) => secret.slice(0, -43) + other.slice(-43)],
    ["is cut short", (secret: string) => secret.slice(0, -1)],
    ["goes on", (secret: string) => `${secret}A`],
    ["is of no key", (secret: string) => secret.replace(/_[0-9a-f]{16}_/, "_0000000000000000_")],
    ["is none", () => "tk_"],
  ])("rejects a secret that %s", async (_what, change) => {
    const { secret } = await newKey();
    const { secret: other } = await newKey();
    for (const some of [keys, known()]) {
      expect(await some.verify(change(secret, other))).toBeNull();
      expect(await some.verify(secret)).not.toBeNull();
      expect(await some.verify(change(secret, other))).toBeNull();
    }
  });
});

describe("EngineKeys.create", () => {
  it("logs an event with the key, its rights and its creator", async () => {
    const { apiKey } = await newKey({ name: "nightly", expiresInDays: 1 });
    await keys.revoke({ ...ADMIN, actor: "grace" }, apiKey.keyId);
    await keys.revoke(ADMIN, apiKey.keyId);
    const until = "2026-01-02T00:00:00.000Z";
    expect(await events()).toMatchObject([
      {
        type: "API_KEY_CREATED",
        actor: "ada",
        error: `key:${apiKey.keyId} (nightly): WRITER of acme, zeta, until ${until}`,
        errorCode: null,
      },
      { type: "API_KEY_REVOKED", actor: "grace", error: `key:${apiKey.keyId} (nightly)` },
    ]);
  });

  it("returns the first key without its secret to a retry with the same idempotency key", async () => {
    const first = await newKey({ idempotencyKey: "k" });
    const { apiKey, secret } = await keys.create(ADMIN, { ...WRITER, idempotencyKey: "k" });
    expect([apiKey, secret]).toEqual([first.apiKey, null]);
    expect((await keys.list(ADMIN, FIRST_PAGE)).edges).toHaveLength(1);
    const other = keys.create(ADMIN, { ...WRITER, role: "READER", idempotencyKey: "k" });
    await expect(other).rejects.toMatchObject({ code: "CONFLICT" });
  });

  it.each([
    ["no tenant", { tenantIds: [] }, "BAD_USER_INPUT"],
    ["an invalid tenant", { tenantIds: ["../acme"] }, "INVALID_IDENTIFIER"],
    ["tenants for an ADMIN", { role: "ADMIN" as const }, "BAD_USER_INPUT"],
    ["no time", { expiresInDays: 0 }, "BAD_USER_INPUT"],
    ["a NaN duration", { expiresInDays: Number.NaN }, "BAD_USER_INPUT"],
    ["a duration that is too long", { expiresInDays: 3651 }, "BAD_USER_INPUT"],
    ["a name with a line break", { name: "a\nb" }, "BAD_USER_INPUT"],
    ["an empty name", { name: "" }, "BAD_USER_INPUT"],
    ["a name that is too long", { name: "x".repeat(101) }, "BAD_USER_INPUT"],
  ])("rejects %s", async (_what, options, code) => {
    await expect(newKey(options)).rejects.toMatchObject({ code });
    expect(await events()).toEqual([]);
  });
});

describe("API keys", () => {
  it("are listed newest first in pages, including revoked ones", async () => {
    const made = [await newKey({ name: "1" }), await newKey({ name: "2" }), await newKey({ name: "3" })];
    await keys.revoke(ADMIN, made[1]?.apiKey.keyId as string);
    const page = async (after: string | null) => keys.list(ADMIN, { ...FIRST_PAGE, limit: 2, after });
    const first = await page(null);
    expect(first.edges.map(({ node }) => [node.name, node.revokedBy])).toEqual([
      ["3", null],
      ["2", "ada"],
    ]);
    expect(first).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    const second = await page(first.edges.at(-1)?.cursor as string);
    expect(second.edges.map(({ node }) => node.name)).toEqual(["1"]);
    expect(second).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    expect(await second.totalCount()).toBe(3);
  });

  it("cannot be revoked if they do not exist", async () => {
    await expect(keys.revoke(ADMIN, "0000000000000000")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});
