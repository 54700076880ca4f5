import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { Principal } from "@tierkeep/schema/domain/principal";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../embedded/open-store.ts";
import type { Store } from "../embedded/store.ts";
import { readConfig } from "../read-config.ts";
import { readStoreFile } from "./config-file.ts";
import { shownSettings } from "./shown.ts";
import type { Opening } from "./store-opening.ts";

const ADMIN: Principal = { actor: "ann", role: "ADMIN", tenants: null };
const START = Date.UTC(2026, 0, 1);

let folder: string;
let now: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tierkeep-settings-"));
  now = START;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const root = () => join(folder, "artifacts");
const configPath = () => join(root(), ".tierkeep", "config.json");

/** Opens the store, runs `work` on it, and closes it. */
async function withStore<T>(
  opening: Opening,
  env: Readonly<Record<string, string>>,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const config = readConfig({
    STORAGE_BASE_PATH: root(),
    ...(opening === "use" ? {} : { LOG_DIR: join(folder, "logs"), DURABILITY: "os" }),
    TIERKEEP_ALLOW_AS_OF: "true",
    ...env,
  });
  const store = await openStore(config, {
    opening,
    clock: { now: () => now },
    log: pino({ level: "silent" }),
  });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

const nothing = async () => {};

/** Returns the messages of events about settings. */
async function changes({ engine }: Store): Promise<readonly (string | null)[]> {
  const events = await engine.catalog.listEvents(
    { types: ["SETTING_CHANGED", "RETENTION_CONFIRMED"] },
    "ASC",
    {
      after: null,
      before: null,
      limit: 100,
      backward: false,
    },
  );
  return events.map(({ error }) => error);
}

function shown(name: string) {
  const file = readStoreFile({ root: root(), config: configPath() });
  return shownSettings(root(), file, now).find((setting) => setting.name === name);
}

/** Starts a lifecycle run and returns how many artifacts it purged, or would purge on a dry run. */
async function purgedByRun(store: Store, dryRun = true, asOf?: number): Promise<number> {
  const { job } = await store.services.jobs.runLifecycle(ADMIN, {
    dryRun,
    waitSeconds: 60,
    ...(asOf && { asOf }),
  });
  expect(job.status).toBe("SUCCEEDED");
  return job.purged;
}

async function writeCold(store: Store): Promise<void> {
  const key = { tenantId: "acme", workflowId: "w", artifactId: "a" };
  const options = { ...key, tier: "COLD", contentType: null, metadata: {} } as const;
  await store.services.artifacts.write(ADMIN, options, Buffer.from("x"));
}

/** Returns the instant of the artifact's next transition, ms since the epoch. */
async function nextPurgeAt(store: Store): Promise<number> {
  const [policy] = await store.services.tenants.retentionPolicies(ADMIN, [null]);
  const [artifact] = await store.engine.catalog.artifacts([
    { tenantId: "acme", workflowId: "w", artifactId: "a" },
  ]);
  const { nextTransition } = await import("@tierkeep/schema/domain/policy");
  if (!policy || !artifact) throw new Error("there is no such artifact");
  return nextTransition(artifact, policy)?.at ?? Number.NaN;
}

describe("a store's settings", () => {
  it("are stored without an event when the store is created, and apply whenever it is opened", async () => {
    await withStore("create", { COLD_RETENTION_DAYS: "365", AUDIT_READS: "true" }, nothing);
    await withStore("use", {}, async (store) => {
      expect(store.config).toMatchObject({
        retention: { hotDays: 7, warmDays: 30, coldDays: 365 },
        auditReads: true,
        durability: "os",
        logDir: join(folder, "logs"),
      });
      expect(await changes(store)).toEqual([]);
    });
    expect(shown("COLD_RETENTION_DAYS")).toMatchObject({ value: "365", from: "environment", pending: null });
    expect(shown("HOT_RETENTION_DAYS")).toMatchObject({ value: "7", from: "default" });
  });

  it("are changed only by serve, with an event that names both values", async () => {
    await withStore("serve", { HOT_RETENTION_DAYS: "8" }, nothing);
    await expect(withStore("use", { HOT_RETENTION_DAYS: "7" }, nothing)).rejects.toThrow(
      "HOT_RETENTION_DAYS is 7, but 8 is stored",
    );
    await withStore("use", { HOT_RETENTION_DAYS: "8.0" }, nothing);
    await withStore("serve", { HOT_RETENTION_DAYS: "9", PUBLISH_TREE: "false" }, async (store) => {
      expect(await changes(store)).toEqual([
        "HOT_RETENTION_DAYS changed from 8 to 9.",
        "PUBLISH_TREE changed from true to false.",
      ]);
    });
    await withStore("serve", {}, async (store) => expect(await changes(store)).toHaveLength(2));
    await expect(withStore("serve", { WARM_RETENTION_DAYS: "9" }, nothing)).rejects.toThrow(
      "must be more than",
    );
  });

  it("come from the catalog after a crash before config.json was replaced", async () => {
    await withStore("serve", { COLD_RETENTION_DAYS: "365" }, nothing);
    const before = readFileSync(configPath(), "utf8");
    await withStore("serve", { COLD_RETENTION_DAYS: "100", DURABILITY: "fsync" }, nothing);
    const after = readFileSync(configPath(), "utf8");
    writeFileSync(configPath(), before);
    await withStore("use", {}, async (store) => {
      expect(store.config).toMatchObject({ retention: { coldDays: 100 }, durability: "fsync" });
      expect(store.settings.policy().coldDays).toBe(365);
      expect(await changes(store)).toHaveLength(2);
    });
    expect(readFileSync(configPath(), "utf8")).toBe(after);
  });

  it("come from the catalog if config.json was edited or deleted", async () => {
    await withStore("serve", { COLD_RETENTION_DAYS: "365" }, nothing);
    const stored = readFileSync(configPath(), "utf8");
    writeFileSync(configPath(), stored.replace('"365"', '"31"'));
    await withStore("use", {}, async (store) => expect(store.config.retention.coldDays).toBe(365));
    expect(readFileSync(configPath(), "utf8")).toBe(stored);
    rmSync(configPath());
    await withStore("use", {}, async (store) => expect(store.config.retention.coldDays).toBe(365));
  });

  it("come from config.json if the catalog is lost; the loss is reported until a reindex", async () => {
    await withStore("serve", { COLD_RETENTION_DAYS: "365" }, nothing);
    rmSync(join(root(), ".tierkeep", "catalog.db"));
    await expect(withStore("use", {}, nothing)).rejects.toThrow("tierkeep reindex");
    await expect(withStore("create", {}, nothing)).rejects.toThrow("tierkeep reindex");
    await withStore("serve", {}, async (store) => {
      expect(store.config.retention.coldDays).toBe(365);
      expect(store.catalogLostAt).not.toBeNull();
      expect(await changes(store)).toEqual([]);
    });
    await withStore("use", {}, async (store) => {
      expect(store.catalogLostAt).not.toBeNull();
      await store.services.jobs.reindex(ADMIN, { dryRun: false, waitSeconds: 60 });
    });
    await withStore("use", {}, async (store) => expect(store.catalogLostAt).toBeNull());
  });

  it("of a store from an earlier version are stored by serve; other commands tell the user to start serve once", async () => {
    await withStore("serve", { COLD_RETENTION_DAYS: "365" }, nothing);
    const { layout, storeKey } = JSON.parse(readFileSync(configPath(), "utf8"));
    writeFileSync(configPath(), JSON.stringify({ layout, storeKey }));
    const { DatabaseSync } = await import("node:sqlite");
    const catalog = new DatabaseSync(join(root(), ".tierkeep", "catalog.db"));
    catalog.exec("DELETE FROM store_settings");
    catalog.close();
    for (const opening of ["use", "create", "rebuild"] as const)
      await expect(withStore(opening, {}, nothing)).rejects.toThrow("Start `tierkeep serve` once");
    await withStore("serve", { COLD_RETENTION_DAYS: "180" }, nothing);
    await withStore("use", {}, async (store) => expect(store.config.retention.coldDays).toBe(180));
  });
});

describe("a shortened COLD_RETENTION_DAYS", () => {
  it("has no effect on purges, dry runs and nextTransition for 24 hours, even after restarts", async () => {
    await withStore("serve", { COLD_RETENTION_DAYS: "365" }, writeCold);
    now += 100 * DAY_MS;
    const changedAt = now;
    await withStore("serve", { COLD_RETENTION_DAYS: "90" }, async (store) => {
      expect(await purgedByRun(store)).toBe(0);
      expect(await purgedByRun(store, false)).toBe(0);
      expect(await purgedByRun(store, false, now + 2 * DAY_MS)).toBe(0);
      expect(await nextPurgeAt(store)).toBe(changedAt + DAY_MS);
      expect((await changes(store)).at(-1)).toMatch(
        /changed from 365 to 90\. Purges use 365 until 2026-04-12T/,
      );
    });
    expect(shown("COLD_RETENTION_DAYS")).toMatchObject({ value: "90", pending: { inForce: "365" } });
    now = changedAt + DAY_MS - 1;
    await withStore("use", {}, async (store) => expect(await purgedByRun(store, false)).toBe(0));
    now = changedAt + DAY_MS;
    await withStore("use", {}, async (store) => {
      expect(await purgedByRun(store)).toBe(1);
      expect(await purgedByRun(store, false)).toBe(1);
    });
    expect(shown("COLD_RETENTION_DAYS")).toMatchObject({ pending: null });
  });

  it("takes effect immediately when it is confirmed, with an event, and stays in effect after a restart", async () => {
    await withStore("serve", { COLD_RETENTION_DAYS: "365" }, writeCold);
    now += 100 * DAY_MS;
    await withStore("serve", { COLD_RETENTION_DAYS: "90" }, async (store) => {
      expect(await purgedByRun(store)).toBe(0);
      expect(await store.settings.confirmRetention("local")).toBe(true);
      expect(await store.settings.confirmRetention("local")).toBe(false);
      expect(await purgedByRun(store)).toBe(1);
      expect((await changes(store)).at(-1)).toBe(
        "COLD_RETENTION_DAYS 90 is confirmed. Purges used 365 until now.",
      );
    });
    await withStore("use", {}, async (store) => expect(await purgedByRun(store, false)).toBe(1));
  });

  it("does not delay moves to colder tiers by a HOT_RETENTION_DAYS that is shortened with it", async () => {
    await withStore("serve", {}, async (store) => {
      const key = { tenantId: "acme", workflowId: "w", artifactId: "a" };
      const options = { ...key, tier: "HOT", contentType: null, metadata: {} } as const;
      await store.services.artifacts.write(ADMIN, options, Buffer.from("x"));
    });
    now += 3 * DAY_MS;
    await withStore("serve", { HOT_RETENTION_DAYS: "2", COLD_RETENTION_DAYS: "31" }, async (store) => {
      const { job } = await store.services.jobs.runLifecycle(ADMIN, { dryRun: false, waitSeconds: 60 });
      expect(job.promotedToWarm).toBe(1);
    });
  });
});

describe("AUDIT_SIGNING_KEY", () => {
  const keyPath = (name: string) => join(folder, name);
  async function newKey(name: string): Promise<string> {
    const { newKeyPem } = await import("../../audit/signing-key.ts");
    writeFileSync(keyPath(name), newKeyPem());
    return keyPath(name);
  }

  it("is stored with its fingerprint: another key in the file is rejected unless serve names it", async () => {
    const path = await newKey("key.pem");
    await withStore("serve", { AUDIT_SIGNING_KEY: path }, nothing);
    const first = shown("AUDIT_SIGNING_KEY")?.fingerprint;
    await newKey("key.pem");
    await expect(withStore("use", {}, nothing)).rejects.toThrow(`is signed by the key ${first}`);
    await expect(withStore("serve", {}, nothing)).rejects.toThrow(`is signed by the key ${first}`);
    await withStore("serve", { AUDIT_SIGNING_KEY: path }, async (store) => {
      expect((await changes(store)).at(-1)).toContain(
        `AUDIT_SIGNING_KEY changed from ${path} (key ${first}) to`,
      );
    });
    await withStore("use", {}, nothing);
  });

  it("accepts another path to the same key, and serve can return to the store's own key", async () => {
    const path = await newKey("key.pem");
    await withStore("serve", { AUDIT_SIGNING_KEY: path }, nothing);
    writeFileSync(keyPath("same.pem"), readFileSync(path));
    await withStore("use", { AUDIT_SIGNING_KEY: keyPath("same.pem") }, nothing);
    await expect(withStore("use", { AUDIT_SIGNING_KEY: await newKey("other.pem") }, nothing)).rejects.toThrow(
      "AUDIT_SIGNING_KEY is",
    );
    await withStore("serve", { AUDIT_SIGNING_KEY: "own" }, nothing);
    expect(shown("AUDIT_SIGNING_KEY")).toMatchObject({ value: "own" });
  });

  it("is replaced only by serve if the store's own key is lost", async () => {
    await withStore("serve", {}, nothing);
    rmSync(join(root(), ".tierkeep", "audit-key.pem"));
    await expect(withStore("use", {}, nothing)).rejects.toThrow("which creates a new key");
    await withStore("serve", {}, async (store) => {
      expect((await changes(store)).at(-1)).toContain("AUDIT_SIGNING_KEY changed from own (key");
    });
    await withStore("use", {}, nothing);
  });
});
