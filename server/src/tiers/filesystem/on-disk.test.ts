import {
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { openStoreUnderTest } from "../../../testing/tiers/store-under-test.ts";
import {
  bytesOf,
  inChunks,
  newObject,
  sha256,
  someBytes,
} from "../../../testing/tiers/tier-store.contract.ts";
import { type Disk, type DiskStep, realDisk } from "../../files/disk.ts";
import type { Published } from "../tier-view.ts";
import { probeLinks } from "./probe-links.ts";

const WRITTEN_AT = Date.UTC(2024, 1, 29, 12, 0, 0, 250);
const options = { maxBytes: null, modifiedAt: WRITTEN_AT };
const key = { tenantId: "acme", workflowId: "nightly", artifactId: "report.pdf" };

/** Returns a disk on which a step fails after `after` successes. */
function failing(step: DiskStep, code: string, after = 0): Disk & { readonly steps: DiskStep[] } {
  const steps: DiskStep[] = [];
  const watched = Object.entries(realDisk).map(([name, call]) => [
    name,
    (...args: unknown[]) => {
      if (typeof args[0] === "string" && args.length > 1) steps.push(args[0] as DiskStep);
      if (args[0] === step && steps.filter((taken) => taken === step).length > after) {
        throw Object.assign(new Error(`${code}: injected by the test`), { code });
      }
      return (call as (...values: unknown[]) => unknown)(...args);
    },
  ]);
  return Object.assign(Object.fromEntries(watched) as Disk, { steps });
}

function objectsBelow(root: string): string[] {
  return readdirSync(join(root, ".tierkeep", "objects"), { recursive: true, encoding: "utf8" }).filter(
    (name) => name.includes("/"),
  );
}

describe("object files", () => {
  it("are read-only, in a folder named by the first two digits, with the time of writing as mtime", async () => {
    await using test = await openStoreUnderTest({ threads: 1 });
    const [streamed, put] = [`ab${"0".repeat(30)}`, `cd${"1".repeat(30)}`];
    await test.store.write(streamed, inChunks(someBytes(1000), 100), options);
    await test.store.put([{ object: put, bytes: someBytes(10), modifiedAt: WRITTEN_AT }]);
    expect(objectsBelow(test.root).sort()).toEqual([`ab/${streamed}`, `cd/${put}`]);
    for (const path of [`ab/${streamed}`, `cd/${put}`]) {
      const stats = lstatSync(join(test.root, ".tierkeep", "objects", path));
      expect(stats.isFile()).toBe(true);
      expect(stats.mode & 0o222).toBe(0);
      expect(stats.mtimeMs).toBe(WRITTEN_AT);
    }
  });

  it("are the same files as the links of the view", async () => {
    await using test = await openStoreUnderTest({ threads: 1 });
    const object = newObject();
    await test.store.write(object, inChunks(someBytes(1000), 100), options);
    const sidecar = Buffer.from("{}");
    await test.store.view?.publish([{ key, place: { tier: "COLD", object, sidecar }, earlier: [] }]);
    const stored = statSync(join(test.root, ".tierkeep", "objects", object.slice(0, 2), object));
    const published = statSync(join(test.root, "cold", "acme", "nightly", "report.pdf"));
    expect(published.ino).toBe(stored.ino);
    expect(published.mtimeMs).toBe(WRITTEN_AT);
    expect(readdirSync(join(test.root, ".tierkeep", "tmp"))).toEqual([]);
  });

  it("keep their bytes when quarantined", async () => {
    await using test = await openStoreUnderTest();
    const object = newObject();
    await test.store.put([{ object, bytes: someBytes(10), modifiedAt: 0 }]);
    await test.store.quarantine(object);
    const [aside] = readdirSync(join(test.root, ".tierkeep", "quarantine"));
    expect(aside).toMatch(new RegExp(`^[0-9a-f]{16}-${object}$`));
  });

  it("are listed without other files", async () => {
    await using test = await openStoreUnderTest();
    const object = `ab${"0".repeat(30)}`;
    await test.store.put([{ object, bytes: someBytes(10), modifiedAt: 0 }]);
    const folder = join(test.root, ".tierkeep", "objects");
    mkdirSync(join(folder, "ab0"));
    const strays = ["README", "ab/notes.txt", `ab/cd${"0".repeat(30)}`, `ab0/ab0${"0".repeat(29)}`];
    for (const name of strays) writeFileSync(join(folder, name), "");
    expect(await Array.fromAsync(test.store.list())).toEqual([object]);
  });

  it("are written also after empty folders were deleted", async () => {
    await using test = await openStoreUnderTest();
    const object = newObject();
    await test.store.put([{ object, bytes: someBytes(10), modifiedAt: 0 }]);
    await test.store.delete([object]);
    rmSync(join(test.root, ".tierkeep", "objects", object.slice(0, 2)), { recursive: true });
    await test.store.put([{ object, bytes: someBytes(10), modifiedAt: 0 }]);
    expect(await test.store.stat(object)).toEqual({ sizeBytes: 10 });
  });

  it("are read neither through symbolic links nor where the path is a folder", async () => {
    await using test = await openStoreUnderTest();
    const bytes = someBytes(10);
    writeFileSync(join(test.root, "outside"), bytes);
    const expected = { range: null, sizeBytes: 10, checksum: sha256(bytes) };
    const [link, folder] = [newObject(), newObject()];
    const at = (object: string) => join(test.root, ".tierkeep", "objects", object.slice(0, 2), object);
    mkdirSync(dirname(at(link)), { recursive: true });
    symlinkSync(join(test.root, "outside"), at(link));
    mkdirSync(at(folder), { recursive: true });
    await expect(test.store.read(link, expected)).rejects.toMatchObject({
      code: "TIER_UNAVAILABLE",
      cause: { kind: "UNREADABLE", cause: { code: "ELOOP" } },
    });
    await expect(test.store.read(folder, expected)).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
  });
});

describe("a failing disk", () => {
  it.each([
    ["ENOSPC", "STORAGE_FULL", "FULL"],
    ["EDQUOT", "STORAGE_FULL", "FULL"],
    ["EFBIG", "STORAGE_FULL", "FULL"],
    ["EIO", "TIER_UNAVAILABLE", "UNAVAILABLE"],
    ["EROFS", "TIER_UNAVAILABLE", "DENIED"],
    ["EACCES", "TIER_UNAVAILABLE", "DENIED"],
    ["EPERM", "TIER_UNAVAILABLE", "DENIED"],
  ])(
    "turns %s while writing into %s, with the kind %s and the system's error as causes, and leaves no object",
    async (code, refusal, kind) => {
      for (const step of [
        "object.create",
        "object.append",
        "object.fsync",
        "object.directory.fsync",
      ] as const) {
        await using test = await openStoreUnderTest({ disk: failing(step, code) });
        const refused = { name: "Refused", code: refusal, cause: { kind, cause: { code } } };
        await expect(
          test.store.write(newObject(), inChunks(someBytes(1000), 100), options),
        ).rejects.toMatchObject(refused);
        await expect(
          test.store.put([{ object: newObject(), bytes: someBytes(9), modifiedAt: 0 }]),
        ).rejects.toMatchObject(refused);
        expect(objectsBelow(test.root)).toEqual([]);
      }
    },
  );

  it("ends a write as soon as the disk is full, though the source stalls", async () => {
    await using test = await openStoreUnderTest({ disk: failing("object.append", "ENOSPC") });
    async function* stalling(): AsyncGenerator<Uint8Array> {
      yield someBytes(300_000);
      await new Promise(() => {});
    }
    await expect(test.store.write(newObject(), stalling(), options)).rejects.toMatchObject({
      code: "STORAGE_FULL",
    });
  });

  it("never gets a second fsync of a file: it could succeed although the first one dropped bytes", async () => {
    const disk = failing("object.fsync", "EIO");
    await using test = await openStoreUnderTest({ disk });
    await expect(
      test.store.put([{ object: newObject(), bytes: someBytes(9), modifiedAt: 0 }]),
    ).rejects.toThrow();
    await expect(test.store.write(newObject(), inChunks(someBytes(9), 9), options)).rejects.toThrow();
    const after = disk.steps.filter((step) => step.startsWith("object.") && !/parent|mkdir/.test(step));
    const once = ["object.create", "object.append", "object.stamp", "object.fsync", "object.discard"];
    expect(after).toEqual([...once, ...once]);
  });

  it("syncs a long write in parts, so that its end takes no longer than that of a short one", async () => {
    const disk = failing("object.unlink", "EIO");
    await using test = await openStoreUnderTest({ disk });
    await test.store.write(newObject(), inChunks(new Uint8Array(100 * 1024 * 1024), 1024 * 1024), options);
    expect(disk.steps.filter((step) => step === "object.fsync")).toHaveLength(4);
  });

  it("leaves no object of a batch in which one cannot be written", async () => {
    await using test = await openStoreUnderTest({ disk: failing("object.append", "ENOSPC", 2) });
    const objects = Array.from({ length: 5 }, () => ({
      object: newObject(),
      bytes: someBytes(9),
      modifiedAt: 0,
    }));
    await expect(test.store.put(objects)).rejects.toMatchObject({ code: "STORAGE_FULL" });
    expect(objectsBelow(test.root)).toEqual([]);
  });

  it("that is not mounted differs from a store without objects", async () => {
    await using test = await openStoreUnderTest();
    const bytes = someBytes(10);
    const object = newObject();
    await test.store.put([{ object, bytes, modifiedAt: 0 }]);
    renameSync(test.root, `${test.root}-away`);
    mkdirSync(test.root);
    const unavailable = { code: "TIER_UNAVAILABLE" };
    await expect(
      test.store.read(object, { range: null, sizeBytes: 10, checksum: sha256(bytes) }),
    ).rejects.toMatchObject(unavailable);
    await expect(test.store.stat(object)).rejects.toMatchObject(unavailable);
    await expect(test.store.delete([object])).rejects.toMatchObject(unavailable);
    await expect(test.store.quarantine(object)).rejects.toMatchObject(unavailable);
    await expect(Array.fromAsync(test.store.list())).rejects.toMatchObject(unavailable);
    await expect(test.store.put([{ object, bytes, modifiedAt: 0 }])).rejects.toMatchObject(unavailable);
    expect(readdirSync(test.root)).toEqual([]);
  });

  it.each([
    "view.sidecar.create",
    "view.sidecar.append",
    "view.sidecar.fsync",
    "view.sidecar.rename",
    "view.link",
    "view.directory.fsync",
  ] as const)("reports the key whose %s fails, and leaves no temporary file", async (step) => {
    const disk = failing(step, "EIO");
    await using test = await openStoreUnderTest({ disk });
    const object = newObject();
    await test.store.put([{ object, bytes: someBytes(9), modifiedAt: 0 }]);
    const place = { tier: "HOT", object, sidecar: Buffer.from("{}") } as const;
    const published = await test.store.view?.publish([{ key, place, earlier: [] }]);
    expect(published).toEqual({
      quarantined: [],
      failed: [{ key, error: "EIO: injected by the test" }],
      blocked: [],
    } satisfies Published);
    expect(readdirSync(join(test.root, ".tierkeep", "tmp"))).toEqual([]);
  });

  it("reports a key whose old path cannot be removed", async () => {
    await using test = await openStoreUnderTest({ disk: failing("view.old.unlink", "EACCES") });
    const object = newObject();
    await test.store.put([{ object, bytes: someBytes(9), modifiedAt: 0 }]);
    const place = (tier: "HOT" | "WARM") => ({ tier, object, sidecar: Buffer.from('{"_version":1}') });
    await test.store.view?.publish([{ key, place: place("HOT"), earlier: [] }]);
    const published = await test.store.view?.publish([{ key, place: place("WARM"), earlier: [] }]);
    expect(published?.failed).toHaveLength(1);
  });
});

describe("a tier's folder", () => {
  it("that is a symbolic link stays, and its keys fail with what to do", async () => {
    await using test = await openStoreUnderTest();
    const object = newObject();
    await test.store.put([{ object, bytes: someBytes(9), modifiedAt: 0 }]);
    rmSync(join(test.root, "hot"), { recursive: true });
    mkdirSync(join(test.root, "elsewhere"));
    symlinkSync(join(test.root, "elsewhere"), join(test.root, "hot"));
    const published = await test.store.view?.publish([
      { key, place: { tier: "HOT", object, sidecar: Buffer.from("{}") }, earlier: [] },
    ]);
    expect(published?.failed[0]?.error).toContain("PUBLISH_TREE=false");
    expect(readdirSync(join(test.root, "elsewhere"))).toEqual([]);
  });

  it("is probed for links, without leaving files", async () => {
    await using test = await openStoreUnderTest();
    expect(await probeLinks(test.root)).toEqual([]);
    expect(objectsBelow(test.root)).toEqual([]);
    expect(["hot", "warm", "cold"].flatMap((tier) => readdirSync(join(test.root, tier)))).toEqual([]);
  });

  it("that does not support links is reported with the reason", async () => {
    await using test = await openStoreUnderTest();
    rmSync(join(test.root, "warm"), { recursive: true });
    writeFileSync(join(test.root, "warm"), "");
    expect(await probeLinks(test.root)).toEqual([
      { tier: "WARM", problem: "its file system rejects links (EEXIST)" },
    ]);
  });
});

describe("files of the view", () => {
  it("leave no temporary files when published, published again, replaced or moved", async () => {
    await using test = await openStoreUnderTest();
    const objects = [newObject(), newObject()];
    await test.store.put(objects.map((object) => ({ object, bytes: someBytes(9), modifiedAt: 0 })));
    const sidecar = Buffer.from(`{"_version":1,"_checksum":"${"0".repeat(64)}"}`);
    for (const [tier, index] of [
      ["HOT", 0],
      ["HOT", 0],
      ["HOT", 1],
      ["WARM", 1],
    ] as const) {
      const place = { tier, object: objects[index] ?? "", sidecar };
      expect(await test.store.view?.publish([{ key, place, earlier: objects }])).toEqual({
        quarantined: [],
        failed: [],
        blocked: [],
      });
      expect(readdirSync(join(test.root, ".tierkeep", "tmp"))).toEqual([]);
    }
  });

  it("are restored where they were edited: content is always the object's", async () => {
    await using test = await openStoreUnderTest();
    const object = newObject();
    await test.store.put([{ object, bytes: someBytes(9), modifiedAt: 0 }]);
    const placement = {
      key,
      place: { tier: "HOT" as const, object, sidecar: Buffer.from("{}") },
      earlier: [],
    };
    await test.store.view?.publish([placement]);
    const path = join(test.root, "hot", "acme", "nightly", "report.pdf");
    // Editors save like this: a new file replaces the old one.
    rmSync(path);
    writeFileSync(path, "edited");
    const published = await test.store.view?.publish([placement]);
    expect(published?.quarantined).toHaveLength(2);
    const content = await test.store.read(object, {
      range: null,
      sizeBytes: 9,
      checksum: sha256(someBytes(9)),
    });
    expect(await bytesOf(content)).toEqual(Buffer.from(someBytes(9)));
    expect(statSync(path).size).toBe(9);
  });
});
