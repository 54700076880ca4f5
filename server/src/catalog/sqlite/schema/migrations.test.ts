import { existsSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { all, write } from "../../../../testing/catalog/sample-changes.ts";
import { tempDir } from "../../../../testing/sqlite/temp-dir.ts";
import { openCatalog } from "../../open-catalog.ts";
import { Connection } from "../connection.ts";
import { InlineSqliteCatalog } from "../open-sqlite-catalog.ts";
import { ChangeWrites } from "../writes/change-writes.ts";
import { MIGRATIONS, migrate, NewerCatalogError } from "./migrations.ts";

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
      await expect(opening).rejects.toBeInstanceOf(NewerCatalogError);
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
      migrate(connection, path, MIGRATIONS.slice(0, version));
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
    migrate(connection, path, MIGRATIONS.slice(0, 3));
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
    migrate(connection, path, MIGRATIONS.slice(0, 8));
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

  it("copy a catalog with contents before they change it", async () => {
    using folder = tempDir();
    const path = folder.file("catalog.db");
    const catalog = InlineSqliteCatalog.open({ path, durability: "fsync" });
    await catalog.commit(write("a/w/1"));
    await catalog.close();
    expect(existsSync(`${path}.format-${newest}.bak`)).toBe(false);
    const connection = connect(path);
    migrate(connection, path, [...MIGRATIONS, next]);
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
    expect(() => migrate(connection, path, [...MIGRATIONS, next, broken])).toThrow();
    expect(connection.statement("PRAGMA user_version").get()).toEqual([next.version]);
    const half = "SELECT count(*) FROM sqlite_schema WHERE name = 'half'";
    expect(connection.statement(half).get()).toEqual([0]);
    migrate(connection, path, [
      ...MIGRATIONS,
      next,
      { ...broken, sql: "CREATE TABLE half (id INTEGER PRIMARY KEY)" },
    ]);
    expect(connection.statement(half).get()).toEqual([1]);
    connection.close();
  });
});
