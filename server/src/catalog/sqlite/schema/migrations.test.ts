import { existsSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { LIFECYCLE_STEPS } from "@tierkeep/schema/domain/policy";
import { describe, expect, it } from "vitest";
import { all, key, NOW, write } from "../../../../testing/catalog/sample-changes.ts";
import { tempDir } from "../../../../testing/sqlite/temp-dir.ts";
import { sqliteError } from "../../../files/sqlite-failures.ts";
import { countItems, listItems } from "../../lifecycle-items.ts";
import { openCatalog } from "../../open-catalog.ts";
import { Connection } from "../connection.ts";
import { InlineSqliteCatalog } from "../open-sqlite-catalog.ts";
import { ChangeWrites } from "../writes/change-writes.ts";
import { CatalogFormatError, MIGRATIONS, migrate } from "./migrations.ts";

const newest = MIGRATIONS.length;
const next = { version: newest + 1, sql: "CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT" };

function connect(path: string) {
  return new Connection({ path, durability: "fsync", cacheKiB: 1024 });
}

describe("openCatalog", () => {
  it.each(["inline", "worker"] as const)(
    "throws SQLite's reason for a bad file or a missing folder (%s)",
    async (thread) => {
      using folder = tempDir();
      const open = (name: string) => openCatalog({ path: folder.file(name), durability: "fsync", thread });
      await expect(open("missing/catalog.db")).rejects.toThrow("unable to open database file");
      writeFileSync(folder.file("notes.txt"), "not a catalog, and long enough to be looked at".repeat(100));
      await expect(open("notes.txt")).rejects.toThrow("file is not a database");
    },
  );
});

describe("migrations", () => {
  it("are numbered from 1 without a gap", () => {
    expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, n) => n + 1));
  });

  it.each(["inline", "worker"] as const)(
    "reject a catalog of a newer format, and do not change it (%s)",
    async (thread) => {
      using folder = tempDir();
      const path = folder.file("catalog.db");
      const db = new DatabaseSync(path);
      db.exec("PRAGMA user_version = 99");
      db.close();
      const opening = openCatalog({ path, durability: "fsync", thread });
      await expect(opening).rejects.toBeInstanceOf(CatalogFormatError);
      await expect(opening).rejects.toThrow(`The catalog ${path} has format 99`);
      const after = new DatabaseSync(path);
      expect(after.prepare("SELECT count(*) AS tables FROM sqlite_schema").get()).toEqual({ tables: 0 });
      after.close();
    },
  );

  it("migrate a catalog of any earlier format with its contents, and keep a copy", async () => {
    for (const { version } of MIGRATIONS.slice(0, -1)) {
      using folder = tempDir();
      const path = folder.file("catalog.db");
      const connection = connect(path);
      migrate(connection, path, { migrations: MIGRATIONS.slice(0, version) });
      // Writes like an earlier version of this program: without anything that only a later format has.
      const changes = new ChangeWrites(connection);
      changes.runGroup([write("a/w/1")], null);
      changes.flush();
      connection.close();
      const catalog = await openCatalog({ path, durability: "fsync", thread: "inline" });
      expect(await all(catalog)).toMatchObject([{ artifactId: "1" }]);
      const once = { actor: "ann", key: "k", fingerprint: "f", at: 0 };
      await catalog.commit(write("a/w/2", { once }));
      expect(await catalog.commit(write("a/w/2", { once }))).toMatchObject({ created: true });
      await catalog.close();
      const copy = connect(`${path}.format-${version}.bak`);
      expect(copy.statement("PRAGMA user_version").get()).toEqual([version]);
      expect(copy.statement("SELECT name FROM artifact").all()).toEqual([["1"]]);
      copy.close();
    }
  });

  it("mark artifacts that were recorded as damaged", async () => {
    using folder = tempDir();
    const path = folder.file("catalog.db");
    const connection = connect(path);
    migrate(connection, path, { migrations: MIGRATIONS.slice(0, 3) });
    const changes = new ChangeWrites(connection);
    const damaged = write("a/w/1");
    changes.runGroup([damaged, write("a/x/2")], null);
    changes.flush();
    connection.statement("INSERT INTO damage VALUES (?)").run(damaged.object);
    connection.close();
    const catalog = await openCatalog({ path, durability: "fsync", thread: "inline" });
    expect(await all(catalog)).toMatchObject([{ damagedAt: expect.any(Number) }, { damagedAt: null }]);
    await catalog.close();
  });

  it("make restores over several tenants findable by tenant", async () => {
    using folder = tempDir();
    const path = folder.file("catalog.db");
    const connection = connect(path);
    migrate(connection, path, { migrations: MIGRATIONS.slice(0, 8) });
    const insert = connection.statement(
      `INSERT INTO job (job, kind, status, dry_run, started_at, duration_seconds, treated, total_errors, promoted_to_warm,
         promoted_to_cold, purged, restored, skipped, items, has_items, cancel_requested, position, tenant, actor, facts)
       VALUES (?, 'restore', 'SUCCEEDED', 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'null', ?, 'ann', ?)`,
    );
    insert.run("both", null, JSON.stringify({ toTier: "HOT", tenantIds: ["a", "b"] }));
    insert.run("one", "a", JSON.stringify({ toTier: "HOT", tenantIds: ["a"] }));
    insert.run("old", null, JSON.stringify({ toTier: "HOT" }));
    connection.close();
    const catalog = await openCatalog({ path, durability: "fsync", thread: "inline" });
    const window = { after: null, before: null, limit: 9, backward: false };
    const ids = async (tenants: string[]) =>
      (await catalog.listJobs({ tenants }, window)).map(({ id }) => id);
    expect(await ids(["a", "b"])).toEqual(["one", "both"]);
    expect(await ids(["a", "c"])).toEqual(["one"]);
    await catalog.close();
  });

  it("turn the items of earlier lifecycle jobs into plans, and end runs that were not finished as failed", async () => {
    using folder = tempDir();
    const path = folder.file("catalog.db");
    const connection = connect(path);
    migrate(connection, path, { migrations: MIGRATIONS.slice(0, 9) });
    const insert = connection.statement(
      `INSERT INTO job (job, kind, status, dry_run, started_at, finished_at, duration_seconds, treated, total_errors,
         promoted_to_warm, promoted_to_cold, purged, restored, skipped, items, has_items, cancel_requested, position,
         actor, facts)
       VALUES (?, ?, ?, ?, 1, 2, 1, 3, 0, 1, 0, 1, 0, 0, 3, 1, 0, 'null', 'ann', ?) RETURNING id`,
    );
    const facts = JSON.stringify({ asOf: NOW, steps: LIFECYCLE_STEPS, retentionPolicy: {} });
    const [dry, live, running, restore] = [
      insert.get("dry", "lifecycle", "SUCCEEDED", 1, facts),
      insert.get("live", "lifecycle", "SUCCEEDED", 0, facts),
      insert.get("running", "lifecycle", "RUNNING", 0, facts),
      insert.get("restore", "restore", "RUNNING", 0, JSON.stringify({ toTier: "HOT" })),
    ].map((row) => row?.[0] as number);
    const item = connection.statement(
      "INSERT INTO job_item VALUES (?, 'a', 'w', ?, ?, ?, ?, 10.5, 7, ?, ?, ?)",
    );
    for (const [job, done] of [
      [dry, "PLANNED"],
      [live, "DONE"],
      [running, "DONE"],
    ] as const) {
      item.run(job ?? 0, "1", "PURGE", 2, null, done, null, null);
      item.run(job ?? 0, "2", "PROMOTE_TO_WARM", 0, 1, done, null, null);
      item.run(job ?? 0, "3", "PROMOTE_TO_WARM", 0, 1, "FAILED", "INTERNAL", "Look at the log.");
      item.run(job ?? 0, "4", "PURGE", 2, null, "SKIPPED", "HELD", "On hold.");
    }
    item.run(restore ?? 0, "1", null, null, null, null, null, null);
    connection.close();
    const catalog = await openCatalog({ path, durability: "fsync", thread: "inline" });
    const page = { after: null, before: null, limit: 9, backward: false };
    for (const [jobId, outcome] of [
      ["dry", "PLANNED"],
      ["live", "DONE"],
      ["running", "DONE"],
    ] as const) {
      const done = { outcome, errorCode: null, error: null, ageDays: 10.5, sizeBytes: 7 };
      expect(await listItems(catalog, jobId, page)).toEqual([
        { ...key("a/w/1"), step: "PURGE", fromTier: "COLD", toTier: null, ...done },
        { ...key("a/w/2"), step: "PROMOTE_TO_WARM", fromTier: "HOT", toTier: "WARM", ...done },
        expect.objectContaining({
          artifactId: "3",
          outcome: "FAILED",
          errorCode: "INTERNAL",
          error: "Look at the log.",
        }),
        expect.objectContaining({
          artifactId: "4",
          outcome: "SKIPPED",
          errorCode: "HELD",
          error: "On hold.",
        }),
      ]);
      expect(await countItems(catalog, jobId)).toBe(4);
    }
    expect(await catalog.runningJobs()).toMatchObject([
      { blocks: 0, ending: { status: "FAILED" }, job: { id: "restore" } },
      { blocks: 2, ending: { status: "FAILED", errorCode: "UNAVAILABLE" }, job: { id: "running" } },
    ]);
    await catalog.close();
  });

  it("change nothing, and leave no part of a copy, if there is no space for the copy", () => {
    using folder = tempDir();
    const path = folder.file("catalog.db");
    const connection = connect(path);
    migrate(connection, path, { migrations: MIGRATIONS.slice(0, 9) });
    const full = {
      before: (_step: string, sql: string) => {
        if (sql.startsWith("VACUUM")) throw sqliteError(13, "database or disk is full");
      },
    };
    const open = () => InlineSqliteCatalog.open({ path, durability: "fsync", faults: full });
    expect(open).toThrow(CatalogFormatError);
    expect(open).toThrow("tierkeep serve --without-migration-copy");
    expect(existsSync(`${path}.format-9.bak`)).toBe(false);
    expect(connection.statement("PRAGMA user_version").get()).toEqual([9]);
    connection.close();
  });

  it("make no copy if that is not wanted", async () => {
    using folder = tempDir();
    const path = folder.file("catalog.db");
    const connection = connect(path);
    migrate(connection, path, { migrations: MIGRATIONS.slice(0, 9) });
    connection.close();
    const catalog = await openCatalog({ path, durability: "fsync", thread: "worker", migrationCopy: false });
    await catalog.close();
    expect(existsSync(`${path}.format-9.bak`)).toBe(false);
  });

  it("copy a catalog with contents before they change it", async () => {
    using folder = tempDir();
    const path = folder.file("catalog.db");
    const catalog = InlineSqliteCatalog.open({ path, durability: "fsync" });
    await catalog.commit(write("a/w/1"));
    await catalog.close();
    expect(existsSync(`${path}.format-${newest}.bak`)).toBe(false);
    const connection = connect(path);
    migrate(connection, path, { migrations: [...MIGRATIONS, next] });
    expect(connection.statement("PRAGMA user_version").get()).toEqual([next.version]);
    expect(connection.statement("SELECT count(*) FROM later").get()).toEqual([0]);
    connection.close();
    const copy = await openCatalog({
      path: `${path}.format-${newest}.bak`,
      durability: "fsync",
      thread: "inline",
    });
    expect(await all(copy)).toMatchObject([{ artifactId: "1" }]);
    await copy.close();
  });

  it("roll back a migration that fails, and continue from there at the next start", () => {
    using folder = tempDir();
    const path = folder.file("catalog.db");
    const connection = connect(path);
    migrate(connection, path);
    const broken = { version: newest + 2, sql: "CREATE TABLE half (id INTEGER PRIMARY KEY); NONSENSE" };
    expect(() => migrate(connection, path, { migrations: [...MIGRATIONS, next, broken] })).toThrow();
    expect(connection.statement("PRAGMA user_version").get()).toEqual([next.version]);
    const half = "SELECT count(*) FROM sqlite_schema WHERE name = 'half'";
    expect(connection.statement(half).get()).toEqual([0]);
    const mended = { ...broken, sql: "CREATE TABLE half (id INTEGER PRIMARY KEY)" };
    migrate(connection, path, { migrations: [...MIGRATIONS, next, mended] });
    expect(connection.statement(half).get()).toEqual([1]);
    connection.close();
  });
});
