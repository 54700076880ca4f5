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
/** As the process would know them that starts next. */
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

describe("a key's secret", () => {
  it("stands for the key's role and tenants, for this process and the next", async () => {
    const { apiKey, secret } = await newKey({ expiresInDays: 90 });
    for (const some of [keys, known()]) {
      expect(await some.verify(secret)).toMatchObject({
        principal: { actor: `key:${apiKey.keyId}`, role: "WRITER", tenants: ["acme", "zeta"] },
        expiresAt: now + 90 * DAY_MS,
      });
    }
  });

  it("is of 256 random bits, and kept nowhere: what is kept is its digest", async () => {
    const { apiKey, secret } = await newKey({ idempotencyKey: "k" });
    expect(Buffer.from(secret.slice(-43), "base64url")).toHaveLength(32);
    const row = await opened.catalog.apiKey(apiKey.keyId);
    expect(row?.digest).toBe(createHash("sha256").update(secret).digest("hex"));
    expect(JSON.stringify([row, await events(), await keys.list(ADMIN, FIRST_PAGE)])).not.toContain(
      secret.slice(-43),
    );
  });

  it("stands for nobody once it has expired, at that instant", async () => {
    const { secret } = await newKey({ expiresInDays: 1 });
    now += DAY_MS - 1;
    for (const some of [keys, known()]) expect(await some.verify(secret)).not.toBeNull();
    now += 1;
    for (const some of [keys, known()]) expect(await some.verify(secret)).toBeNull();
  });

  it("stands for nobody once it is revoked, and whoever has come with it is told", async () => {
    const { apiKey, secret } = await newKey();
    const verified = await keys.verify(secret);
    expect(verified?.revoked.aborted).toBe(false);
    await keys.revoke(ADMIN, apiKey.keyId);
    expect(verified?.revoked.aborted).toBe(true);
    for (const some of [keys, known()]) expect(await some.verify(secret)).toBeNull();
  });

  it("stands for nobody when it was asked for as it was being revoked", async () => {
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
  ])("stands for nobody when it %s", async (_what, change) => {
    const { secret } = await newKey();
    const { secret: other } = await newKey();
    for (const some of [keys, known()]) {
      expect(await some.verify(change(secret, other))).toBeNull();
      expect(await some.verify(secret)).not.toBeNull();
      expect(await some.verify(change(secret, other))).toBeNull();
    }
  });
});

describe("making keys", () => {
  it("is an event that says which key, what it may, and who made it", async () => {
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

  it("repeated under its idempotency key answers with the first key, without its secret", async () => {
    const first = await newKey({ idempotencyKey: "k" });
    const { apiKey, secret } = await keys.create(ADMIN, { ...WRITER, idempotencyKey: "k" });
    expect([apiKey, secret]).toEqual([first.apiKey, null]);
    expect((await keys.list(ADMIN, FIRST_PAGE)).edges).toHaveLength(1);
    const other = keys.create(ADMIN, { ...WRITER, role: "READER", idempotencyKey: "k" });
    await expect(other).rejects.toMatchObject({ code: "CONFLICT" });
  });

  it.each([
    ["no tenant", { tenantIds: [] }, "BAD_USER_INPUT"],
    ["a tenant that is none", { tenantIds: ["../acme"] }, "INVALID_IDENTIFIER"],
    ["tenants of an administrator", { role: "ADMIN" as const }, "BAD_USER_INPUT"],
    ["no time", { expiresInDays: 0 }, "BAD_USER_INPUT"],
    ["no time that is one", { expiresInDays: Number.NaN }, "BAD_USER_INPUT"],
    ["too long a time", { expiresInDays: 3651 }, "BAD_USER_INPUT"],
    ["a name that breaks lines", { name: "a\nb" }, "BAD_USER_INPUT"],
    ["an empty name", { name: "" }, "BAD_USER_INPUT"],
    ["too long a name", { name: "x".repeat(101) }, "BAD_USER_INPUT"],
  ])("is refused with %s", async (_what, options, code) => {
    await expect(newKey(options)).rejects.toMatchObject({ code });
    expect(await events()).toEqual([]);
  });
});

describe("keys", () => {
  it("are listed newest first, page by page, revoked ones too", async () => {
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

  it("cannot be revoked when there are none", async () => {
    await expect(keys.revoke(ADMIN, "0000000000000000")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});
