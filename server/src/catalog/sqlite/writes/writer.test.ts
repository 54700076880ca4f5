import { statSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  all,
  batch,
  checksumOf,
  key,
  move,
  NOW,
  newObject,
  purge,
  restoredItems,
  restoreJob,
  startJob,
  write,
} from "../../../../testing/catalog/sample-changes.ts";
import { tempDir } from "../../../../testing/sqlite/temp-dir.ts";
import { sqliteError } from "../../../files/sqlite-failures.ts";
import type { Change } from "../../changes.ts";
import type { Faults } from "../connection.ts";
import { InlineSqliteCatalog } from "../open-sqlite-catalog.ts";

const IOERR_FSYNC = () => sqliteError(1034, "disk I/O error");
const IOERR_READ = () => sqliteError(266, "disk I/O error");
const FULL = () => sqliteError(13, "database or disk is full");

type Step = Parameters<NonNullable<Faults["before"]>>[0];

/** Makes steps fail as the test says. */
class FaultInjector implements Faults {
  readonly #planned: {
    readonly when: "before" | "after";
    readonly step: Step;
    readonly sql: RegExp;
    times: number;
    readonly error: () => Error;
  }[] = [];
  readonly seen: string[] = [];

  fail(when: "before" | "after", step: Step, error: () => Error, times = 1, sql = /./): void {
    this.#planned.push({ when, step, sql, times, error });
  }

  before(step: Step, sql: string): void {
    this.seen.push(sql);
    this.#strike("before", step, sql);
  }

  after(step: Step, sql: string): void {
    this.#strike("after", step, sql);
  }

  #strike(when: "before" | "after", step: Step, sql: string): void {
    const plan = this.#planned.find(
      (one) => one.when === when && one.step === step && one.times > 0 && one.sql.test(sql),
    );
    if (plan === undefined) return;
    plan.times -= 1;
    throw plan.error();
  }
}

async function withFaults(
  test: (
    catalog: InlineSqliteCatalog,
    injector: FaultInjector,
    path: string,
    spaceReserve: string,
  ) => Promise<void>,
) {
  using folder = tempDir();
  const spaceReserve = folder.file("ballast");
  const path = folder.file("catalog.db");
  const injector = new FaultInjector();
  const catalog = InlineSqliteCatalog.open({
    path,
    durability: "fsync",
    spaceReserve,
    faults: injector,
    probeDelaysMs: [0, 0, 0],
  });
  try {
    await test(catalog, injector, path, spaceReserve);
  } finally {
    await catalog.close();
  }
}

const three = () => [write("a/w/1"), purge("a/w/none"), write("a/w/2")] as const;

async function names(catalog: InlineSqliteCatalog) {
  return (await all(catalog)).map(({ artifactId }) => artifactId);
}

describe("SqliteWriter, when a COMMIT fails with an I/O error", () => {
  it("returns the outcomes, refusals included, where the COMMIT took effect", async () => {
    await withFaults(async (catalog, injector) => {
      injector.fail("after", "commit", IOERR_FSYNC);
      const outcomes = await catalog.commitAll(three());
      expect(outcomes).toMatchObject([
        { ok: true, result: { created: true, artifact: { version: 1 } } },
        { ok: false, refused: { code: "ARTIFACT_NOT_FOUND" } },
        { ok: true, result: { artifact: { version: 2 } } },
      ]);
      expect(await names(catalog)).toEqual(["1", "2"]);
      expect((await catalog.commit(write("a/w/3"))).artifact.version).toBe(3);
      expect(await catalog.countArtifacts({})).toBe(3);
    });
  });

  it("refuses the group, unchanged, where the COMMIT had no effect", async () => {
    await withFaults(async (catalog, injector) => {
      injector.fail("before", "commit", IOERR_FSYNC);
      const outcomes = await catalog.commitAll(three());
      expect(outcomes).toMatchObject(
        Array(3).fill({ ok: false, refused: { code: "UNAVAILABLE", facts: {} } }),
      );
      expect(
        outcomes.map(
          (outcome) => !outcome.ok && "outcome" in (outcome.refused as never as { facts: object }).facts,
        ),
      ).toEqual([false, false, false]);
      expect(await names(catalog)).toEqual([]);
      expect((await catalog.commit(write("a/w/3"))).artifact.version).toBe(1);
      expect(await catalog.countArtifacts({ tenantId: "a" })).toBe(1);
    });
  });

  it("returns no outcome before a later commit on the same file has succeeded", async () => {
    await withFaults(async (catalog, injector) => {
      injector.fail("after", "commit", IOERR_FSYNC, 3);
      const heard: number[] = [];
      catalog.onCommitted((seq) => heard.push(seq));
      injector.seen.length = 0;
      expect(await catalog.commit(write("a/w/1"))).toMatchObject({ created: true });
      expect(injector.seen.filter((sql) => sql === "COMMIT")).toHaveLength(4);
      expect(heard).toEqual([1]);
    });
  });

  it("reports an unknown outcome where no later commit succeeds, and refuses changes until one does", async () => {
    await withFaults(async (catalog, injector) => {
      injector.fail("before", "commit", IOERR_FSYNC, 5);
      const unknown = { code: "UNAVAILABLE", facts: { outcome: "unknown" } };
      await expect(catalog.commit(write("a/w/1"))).rejects.toMatchObject(unknown);
      const later = await catalog.commit(write("a/w/2")).catch((error) => error);
      expect(later).toMatchObject({ code: "UNAVAILABLE" });
      expect(later.facts).toEqual({});
      expect(await names(catalog)).toEqual([]);
      expect(await catalog.commit(write("a/w/3"))).toMatchObject({ artifact: { version: 1 } });
      expect(await catalog.lastSeq()).toBe(1);
    });
  });

  it("treats changes without events in the same way", async () => {
    await withFaults(async (catalog, injector) => {
      const object = newObject();
      const stage = { kind: "stage", object, store: "files", owner: "me", at: NOW } as const;
      injector.fail("before", "commit", IOERR_FSYNC);
      await expect(catalog.commit(stage)).rejects.toMatchObject({ code: "UNAVAILABLE" });
      injector.fail("after", "commit", IOERR_FSYNC);
      await catalog.commit(stage);
      expect(await catalog.strays("files", [object])).toEqual([]);
    });
  });
});

describe("SqliteWriter on a full disk", () => {
  it.each(["commit", "statement"] as const)(
    "refuses with STORAGE_FULL and changes nothing (at a %s)",
    async (step) => {
      await withFaults(async (catalog, injector) => {
        injector.fail("before", step, FULL, 1, /COMMIT|INSERT INTO artifact/);
        await expect(catalog.commit(write("a/w/1"))).rejects.toMatchObject({ code: "STORAGE_FULL" });
        expect(await names(catalog)).toEqual([]);
        expect(await catalog.lastSeq()).toBe(0);
        await catalog.commit(write("a/w/1"));
        expect(await catalog.countTenants(null)).toBe(1);
      });
    },
  );

  it("refuses only the changes of a group that do not fit", async () => {
    await withFaults(async (catalog, injector) => {
      // The group as a unit, then the first change alone.
      injector.fail("before", "commit", FULL, 2);
      expect(await catalog.commitAll(three())).toMatchObject([
        { ok: false, refused: { code: "STORAGE_FULL" } },
        { ok: false, refused: { code: "ARTIFACT_NOT_FOUND" } },
        { ok: true },
      ]);
      expect(await names(catalog)).toEqual(["2"]);
    });
  });
});

describe("SqliteWriter on a full disk with a space reserve", () => {
  const SPACE_RESERVE_BYTES = 1_000_000;

  it("commits purges and their upkeep, and nothing else until the reserve is complete again", async () => {
    await withFaults(async (catalog, injector, _path, spaceReserve) => {
      await catalog.commitAll([write("a/w/1"), write("a/w/2")]);
      writeFileSync(spaceReserve, Buffer.alloc(SPACE_RESERVE_BYTES));
      injector.fail("before", "commit", FULL, 2);
      await catalog.commit(purge("a/w/1"));
      expect(statSync(spaceReserve).size).toBeGreaterThan(0);
      expect(statSync(spaceReserve).size).toBeLessThan(SPACE_RESERVE_BYTES);
      const object = newObject();
      const stage = { kind: "stage", object, store: "files", owner: "me", at: NOW } as const;
      for (const refused of [write("a/w/3"), stage, move("a/w/2", "COLD")]) {
        await expect(catalog.commit<Change>(refused)).rejects.toMatchObject({ code: "STORAGE_FULL" });
      }
      await catalog.commit(purge("a/w/2"));
      expect(await names(catalog)).toEqual([]);
      writeFileSync(spaceReserve, Buffer.alloc(SPACE_RESERVE_BYTES));
      await catalog.commit(write("a/w/3"));
    });
  });

  it("releases no slice for a write, and refuses purges only once the reserve is used up", async () => {
    await withFaults(async (catalog, injector, _path, spaceReserve) => {
      await catalog.commit(write("a/w/1"));
      writeFileSync(spaceReserve, Buffer.alloc(SPACE_RESERVE_BYTES));
      injector.fail("before", "commit", FULL, 1);
      await expect(catalog.commit(write("a/w/2"))).rejects.toMatchObject({ code: "STORAGE_FULL" });
      expect(statSync(spaceReserve).size).toBe(SPACE_RESERVE_BYTES);
      injector.fail("before", "commit", FULL, 1_000);
      await expect(catalog.commit(purge("a/w/1"))).rejects.toMatchObject({ code: "STORAGE_FULL" });
      expect(statSync(spaceReserve).size).toBe(0);
      expect(await names(catalog)).toEqual(["1"]);
    });
  });

  it("refuses the writes of a group in favour of its purges", async () => {
    await withFaults(async (catalog, injector, _path, spaceReserve) => {
      await catalog.commit(write("a/w/1"));
      writeFileSync(spaceReserve, Buffer.alloc(SPACE_RESERVE_BYTES));
      injector.fail("before", "commit", FULL, 3);
      const outcomes = await catalog.commitAll<Change>([write("a/w/2"), purge("a/w/1"), write("a/w/3")]);
      expect(outcomes.map(({ ok }) => ok)).toEqual([false, true, false]);
      expect(await names(catalog)).toEqual([]);
    });
  });
});

describe("a group of changes", () => {
  it("is refused completely, and changes nothing, when it cannot start or read", async () => {
    await withFaults(async (catalog, injector) => {
      injector.fail("before", "begin", IOERR_READ);
      await expect(catalog.commit(write("a/w/1"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
      injector.fail("before", "statement", IOERR_READ, 1, /INSERT INTO event/);
      await expect(catalog.commit(write("a/w/1"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
      expect(await names(catalog)).toEqual([]);
      expect(await catalog.commit(write("a/w/1"))).toMatchObject({ artifact: { version: 1 } });
    });
  });

  it("loses only the change that fails unexpectedly", async () => {
    await withFaults(async (catalog, injector) => {
      // In its group, and again alone.
      injector.fail("before", "statement", () => new Error("unforeseen"), 2, /INSERT INTO artifact/);
      const outcomes = await catalog.commitAll(three());
      expect(outcomes).toMatchObject([
        { ok: false, refused: { message: "A change failed in the catalog." } },
        { ok: false, refused: { code: "ARTIFACT_NOT_FOUND" } },
        { ok: true, result: { artifact: { version: 1 } } },
      ]);
      expect(await names(catalog)).toEqual(["2"]);
      expect(await catalog.held()).toMatchObject({ HOT: { artifactCount: 1 } });
      expect(await catalog.unsettledTotal()).toMatchObject({ count: 1 });
      expect(
        await catalog.listWorkflows("a", { after: null, before: null, limit: 9, backward: false }),
      ).toEqual(["w"]);
    });
  });

  it("that is rolled back creates no names", async () => {
    await withFaults(async (catalog, injector) => {
      const job = restoreJob();
      // The log mentions both names before any artifact has them.
      await catalog.commitAll([startJob(job), batch(job, "RESTORE", restoredItems("a/w/1"))]);
      injector.fail("before", "statement", () => new Error("unforeseen"), 1, /INSERT INTO artifact/);
      await catalog.commitAll([write("a/w/1")]);
      expect(await catalog.tenantsExist(["a"])).toEqual([false]);
      await catalog.commit(write("a/w/1"));
      expect(await catalog.tenantsExist(["a"])).toEqual([true]);
      expect(await catalog.countTenants(null)).toBe(1);
    });
  });

  it("is retried change by change when it fails for a reason other than the disk", async () => {
    await withFaults(async (catalog, injector) => {
      injector.fail("before", "commit", () => new Error("unforeseen"), 2);
      const outcomes = await catalog.commitAll(three());
      expect(outcomes.map(({ ok }) => ok)).toEqual([false, false, true]);
      expect(await names(catalog)).toEqual(["2"]);
    });
  });

  it("without changes writes nothing", async () => {
    await withFaults(async (catalog, injector) => {
      await catalog.commit(write("a/w/1"));
      injector.seen.length = 0;
      await catalog.commitAll([purge("a/w/none"), write("a/w/1", { ifAbsent: true })]);
      expect(injector.seen.filter((sql) => /^(INSERT|UPDATE|DELETE)/.test(sql))).toEqual([]);
    });
  });
});

describe("a killed catalog", () => {
  it("contains the committed changes and no others", async () => {
    using folder = tempDir();
    const path = folder.file("catalog.db");
    const first = InlineSqliteCatalog.open({ path, durability: "fsync" });
    await first.commit(write("a/w/1", { text: "kept" }));
    const waiting = first.commit(write("a/w/1", { text: "lost" }));
    first.kill();
    await expect(waiting).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(first.artifact(key("a/w/1"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
    const second = InlineSqliteCatalog.open({ path, durability: "fsync" });
    expect(await all(second)).toMatchObject([{ checksum: checksumOf("kept") }]);
    await second.close();
  });
});
