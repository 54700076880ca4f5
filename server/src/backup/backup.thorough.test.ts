import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EngineStore, keyOf, TEST_ADMIN } from "../../testing/stores/engine-store.ts";
import { AuditExporter } from "../audit/exporter.ts";
import { newKeyPem, PublicKeys, signingKey } from "../audit/signing-key.ts";
import { verifyLog } from "../audit/verify.ts";
import { BackupWatch } from "../files/backup-lock.ts";
import { MANIFEST_FILE } from "./manifest.ts";
import { restoreBackup, verifyBackup } from "./restore-backup.ts";
import { storeFilesOf } from "./store-files.ts";
import { takeBackup } from "./take-backup.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tierkeep-backup-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const LARGE = Buffer.alloc(300_000, "large");

const filesOf = (root: string, logs = join(folder, "logs")) => storeFilesOf(root, logs);

const backUp = (store: EngineStore, more: Partial<Parameters<typeof takeBackup>[0]> = {}) => {
  const files = filesOf(store.root);
  if (!existsSync(files.config)) writeFileSync(files.config, "{}");
  return takeBackup({
    store: files,
    into: join(folder, "backup"),
    linked: false,
    version: "1.2.3",
    ...more,
  });
};

const restored = () => filesOf(join(folder, "restored"), join(folder, "restored-logs"));

const restore = (store = restored()) => restoreBackup({ from: join(folder, "backup"), store });

const backup = (...path: string[]) => join(folder, "backup", ...path);

/** Returns true if an artifact has these bytes. */
async function holds(store: EngineStore, artifactId: string, content: string | Buffer): Promise<boolean> {
  const bytes = await store.engine.artifacts.bytes(TEST_ADMIN, await store.row(keyOf(artifactId)));
  return bytes !== null && Buffer.from(content).equals(bytes);
}

/** Flips one bit of an object. */
function rot(path: string): void {
  chmodSync(path, 0o600);
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0);
  writeFileSync(path, bytes);
}

describe("a backup", () => {
  it("has everything that was committed before it, inline content included", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("settled"), Buffer.from("one"));
    await store.write(keyOf("large"), LARGE, { tier: "COLD" });
    await store.write(keyOf("empty"), Buffer.alloc(0));
    await store.engine.drain();
    await store.write(keyOf("rides"), Buffer.from("rides in the catalog"));
    expect(await backUp(store)).toMatchObject({ artifactCount: 4, objectCount: 3, damaged: [] });
    await store.write(keyOf("later"), LARGE);
    await restore();

    await using again = await EngineStore.open({}, restored().root);
    expect(await holds(again, "settled", "one")).toBe(true);
    expect(await holds(again, "large", LARGE)).toBe(true);
    expect(await holds(again, "empty", "")).toBe(true);
    expect(await holds(again, "rides", "rides in the catalog")).toBe(true);
    for (const name of ["settled", "large", "empty", "rides"])
      expect(await again.row(keyOf(name))).toEqual(await store.row(keyOf(name)));
    expect(await again.catalog.artifact(keyOf("later"))).toBeNull();
  });

  it("has the keys and the log, readable by this user only, and no owner or lock files", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("a"), Buffer.from("x"));
    for (const name of ["config.json", "audit-key.pem", "owner.json", "owner-lock.db", "ballast"])
      writeFileSync(join(store.root, ".tierkeep", name), `of ${name}`);
    await backUp(store);
    const names = readdirSync(backup()).sort();
    expect(names).toEqual([
      ".tierkeep",
      "audit-key.pem",
      "catalog.db",
      "config.json",
      "logs",
      "tierkeep-backup.json",
    ]);
    for (const name of ["", ...names.filter((each) => each.includes("."))].filter(
      (each) => each !== ".tierkeep",
    ))
      expect(lstatSync(backup(name)).mode & 0o077, name).toBe(0);
    await restore();
    expect(readFileSync(restored().config, "utf8")).toBe("of config.json");
    expect(readFileSync(restored().auditKey, "utf8")).toBe("of audit-key.pem");
  });

  it("prevents the server from deleting objects while it runs", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("a"), LARGE);
    await store.engine.drain();
    using watch = new BackupWatch(filesOf(store.root).backupLock);
    const seen: boolean[] = [];
    await backUp(store, { onProgress: () => seen.push(watch.isHeld()) });
    expect(new Set(seen)).toEqual(new Set([true]));
    expect(watch.isHeld()).toBe(false);
  });

  it("reports damaged, missing and unreadable objects, and has everything else", async () => {
    await using store = await EngineStore.open();
    for (const name of ["rotten", "gone", "sound", "looping"])
      await store.write(keyOf(name), Buffer.from(name));
    for (const name of ["large-rotten", "large-sound"]) await store.write(keyOf(name), LARGE);
    await store.engine.drain();
    for (const name of ["rotten", "large-rotten"])
      rot(store.objectPath((await store.row(keyOf(name))).object));
    for (const name of ["gone", "looping"]) rmSync(store.objectPath((await store.row(keyOf(name))).object));
    symlinkSync("elsewhere", store.objectPath((await store.row(keyOf("looping"))).object));
    const { damaged } = await backUp(store);
    expect(damaged.map(({ artifactId, problem }) => `${artifactId} ${problem}`).sort()).toEqual([
      "gone MISSING",
      "large-rotten DAMAGED",
      "looping UNREADABLE",
      "rotten DAMAGED",
    ]);
    const report = await restore();
    expect(report.damaged.map(({ artifactId }) => artifactId).sort()).toEqual([
      "gone",
      "large-rotten",
      "looping",
      "rotten",
    ]);

    await using again = await EngineStore.open({}, restored().root);
    expect(await again.engine.drain()).toBe(true);
    expect(await holds(again, "sound", "sound")).toBe(true);
    expect(await holds(again, "large-sound", LARGE)).toBe(true);
    await expect(holds(again, "rotten", "rotten")).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
    expect(existsSync(join(again.root, "hot", "acme", "nightly", "sound"))).toBe(true);
    expect(existsSync(join(again.root, "hot", "acme", "nightly", "rotten"))).toBe(false);
  });

  it("as a snapshot has hard links of the same files, which outlive the store's", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("a"), LARGE);
    await store.engine.drain();
    const { object } = await store.row(keyOf("a"));
    await backUp(store, { linked: true });
    const linked = backup(".tierkeep", "objects", object.slice(0, 2), object);
    expect(lstatSync(linked).ino).toBe(lstatSync(store.objectPath(object)).ino);
    await store.engine.artifacts.purge(TEST_ADMIN, { ...keyOf("a"), dryRun: false });
    await store.engine.drain();
    expect((await verifyBackup({ from: backup() })).damaged).toEqual([]);
    expect(await store.objects()).toEqual([]);
  });

  it("is refused within the store, in a folder with contents, and where there is no store", async () => {
    await using store = await EngineStore.open();
    symlinkSync(store.root, join(folder, "link"));
    mkdirSync(join(folder, "taken", "in"), { recursive: true });
    for (const [into, code] of [
      [join(store.root, "backup"), "BAD_USER_INPUT"],
      [join(folder, "link", "hot", "backup"), "BAD_USER_INPUT"],
      [join(folder, "logs"), "BAD_USER_INPUT"],
      [join(folder, "taken"), "CONFLICT"],
    ] as const)
      await expect(backUp(store, { into }), into).rejects.toMatchObject({ code });
    await expect(backUp(store, { store: filesOf(join(folder, "nowhere")) })).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
    expect(readdirSync(folder).sort()).toEqual(["link", "taken"]);
    expect(readdirSync(store.root)).not.toContain("backup");
  });

  it("that is interrupted leaves only the folder that existed before", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("a"), LARGE);
    await store.engine.drain();
    for (const isThere of [false, true]) {
      if (isThere) mkdirSync(backup());
      const interruption = new AbortController();
      const interrupted = backUp(store, {
        signal: interruption.signal,
        onProgress: () => interruption.abort(),
      });
      await expect(interrupted).rejects.toMatchObject({ name: "AbortError" });
      expect(readdirSync(folder)).toEqual(isThere ? ["backup"] : []);
    }
    expect(readdirSync(backup())).toEqual([]);
    expect(await holds(store, "a", LARGE)).toBe(true);
  });

  it.each([
    ["one file", Number.POSITIVE_INFINITY],
    ["many files", 2_000],
  ])(
    "has the audit log up to its catalog's position, which a restored store continues: %s",
    async (_, segmentBytes) => {
      await using store = await EngineStore.open();
      const key = signingKey(newKeyPem());
      const exporting = (to: EngineStore, directory: string) =>
        new AuditExporter({
          catalog: to.catalog,
          directory,
          key,
          segmentBytes,
          onProblem: () => {},
        });
      const verify = (directory: string) =>
        verifyLog({ directory, keys: new PublicKeys(key.publicPem), expected: [], waitTimeoutMs: 0 });
      const files = filesOf(store.root);
      const exporter = exporting(store, files.logs);
      for (let n = 0; n < 20; n += 1) await store.write(keyOf("a"), Buffer.from(`${n}`));
      await exporter.flush();
      // Lines of the log beyond the catalog's position, as while a server writes.
      const state = await store.catalog.exportState();
      for (let n = 0; n < 20; n += 1) await store.write(keyOf("b"), Buffer.from(`${n}`));
      await exporter.flush();
      await exporter.close();
      if (state === null) throw new Error("nothing was exported");
      await store.catalog.commit({ kind: "exported", state });
      await backUp(store);
      expect(await verify(backup("logs"))).toMatchObject({ problem: null, lines: 20, gaps: [] });
      expect((await restore()).logRestored).toBe(true);

      await using again = await EngineStore.open({}, restored().root);
      await again.write(keyOf("c"), Buffer.from("x"));
      const next = exporting(again, restored().logs);
      await next.flush();
      await next.close();
      expect(await verify(restored().logs)).toMatchObject({ problem: null, lines: 41, gaps: [] });
    },
  );
});

describe("a restored store", () => {
  it("is published again, and has nothing from after the backup", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("a"), LARGE);
    await store.engine.artifacts.promote(TEST_ADMIN, { ...keyOf("a"), toTier: "COLD", dryRun: false });
    await store.engine.drain();
    await backUp(store);
    await restore();
    await using again = await EngineStore.open({}, restored().root);
    expect(again.catalog.epoch).not.toBe(store.catalog.epoch);
    expect(await again.engine.drain()).toBe(true);
    const published = join(again.root, "cold", "acme", "nightly", "a");
    expect(lstatSync(published).ino).toBe(
      lstatSync(again.objectPath((await again.row(keyOf("a"))).object)).ino,
    );
    expect(existsSync(`${published}.metadata.json`)).toBe(true);
  });

  it("is not created over another one, and keeps an existing log", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("a"), Buffer.from("x"));
    mkdirSync(filesOf(store.root).logs);
    writeFileSync(join(filesOf(store.root).logs, "lifecycle_events.public-key.pem"), "of the backup");
    await backUp(store);
    await expect(restore(filesOf(store.root))).rejects.toMatchObject({ code: "CONFLICT" });
    mkdirSync(restored().logs);
    writeFileSync(join(restored().logs, "lifecycle_events.jsonl"), "knows more\n");
    expect((await restore()).logRestored).toBe(false);
    expect(readdirSync(restored().logs)).toEqual(["lifecycle_events.jsonl"]);
    expect(await holds(store, "a", "x")).toBe(true);
  });

  it("needs a complete backup: one without a manifest, or with another catalog, is refused", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("a"), Buffer.from("x"));
    await backUp(store);
    rot(backup("catalog.db"));
    await expect(restore()).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
    await expect(verifyBackup({ from: backup() })).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
    rmSync(backup(MANIFEST_FILE));
    await expect(restore()).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(existsSync(restored().root)).toBe(false);
  });

  it("needs a manifest that lists exactly the files of the backup", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("a"), Buffer.from("x"));
    const key = signingKey(newKeyPem());
    const { logs, auditKey } = filesOf(store.root);
    writeFileSync(auditKey, "of audit-key.pem");
    const exporter = new AuditExporter({ catalog: store.catalog, directory: logs, key, onProblem: () => {} });
    await exporter.flush();
    await exporter.close();
    const { files } = await backUp(store);
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual([
      "catalog.db",
      "config.json",
      "audit-key.pem",
      "logs/lifecycle_events.checkpoints.jsonl",
      "logs/lifecycle_events.jsonl",
      "logs/lifecycle_events.public-key.pem",
    ]);
    const manifest = JSON.parse(readFileSync(backup(MANIFEST_FILE), "utf8"));
    const without = (gone: string) => files.filter(({ path }) => path !== gone);
    const outside = { path: "../restored", sizeBytes: 0, checksum: "0".repeat(64) };
    for (const changed of [[], ...paths.map(without), [...files, outside]]) {
      writeFileSync(backup(MANIFEST_FILE), JSON.stringify({ ...manifest, files: changed }));
      await expect(verifyBackup({ from: backup() })).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
      await expect(restore()).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
    }
    // Also where the files are deleted together with their entries.
    rmSync(backup("logs"), { recursive: true });
    const logless = files.filter(({ path }) => !path.startsWith("logs/"));
    writeFileSync(backup(MANIFEST_FILE), JSON.stringify({ ...manifest, files: logless }));
    await expect(restore()).rejects.toThrow(/does not list the audit log/);
  });

  it("has no log where the original store had lost it, which the manifest records", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("a"), Buffer.from("x"));
    const { logs: directory } = filesOf(store.root);
    const key = signingKey(newKeyPem());
    const exporter = new AuditExporter({ catalog: store.catalog, directory, key, onProblem: () => {} });
    await exporter.flush();
    await exporter.close();
    rmSync(directory, { recursive: true });
    expect(await backUp(store)).toMatchObject({ logMissing: true });
    expect((await restore()).manifest.logMissing).toBe(true);
  });

  it("does not exist in part where the restore was interrupted", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("a"), LARGE);
    await store.engine.drain();
    await backUp(store);
    const interruption = new AbortController();
    const interrupted = restoreBackup({
      from: backup(),
      store: restored(),
      signal: interruption.signal,
      onProgress: () => interruption.abort(),
    });
    await expect(interrupted).rejects.toMatchObject({ name: "AbortError" });
    expect(readdirSync(restored().root)).toEqual([]);
    await restore();
  });
});
