import { chmodSync, existsSync, linkSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { openStoreUnderTest } from "../../../../testing/tiers/store-under-test.ts";
import { newObject, sha256, someBytes } from "../../../../testing/tiers/tier-store.contract.ts";
import { type Disk, type DiskStep, realDisk, withoutFsync } from "../../../files/disk.ts";
import type { IngestAs } from "../../tier-view.ts";

const key = { tenantId: "acme", workflowId: "nightly", artifactId: "report.pdf" };

/** Returns a disk on which a step fails. */
function refusing(step: DiskStep, code: string): Disk {
  const refuse = () => {
    throw Object.assign(new Error(`${code}: injected by the test`), { code });
  };
  const disk = withoutFsync(realDisk);
  return {
    ...disk,
    link: (taken, from, to) => (taken === step ? refuse() : disk.link(taken, from, to)),
    chmod: (taken, descriptor, mode) => (taken === step ? refuse() : disk.chmod(taken, descriptor, mode)),
  };
}

async function withFile(bytes: Uint8Array, disk: Disk = withoutFsync(realDisk)) {
  const test = await openStoreUnderTest({ disk });
  const path = join(test.root, "hot/acme/nightly/report.pdf");
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  chmodSync(path, 0o640);
  const { view } = test.store;
  const find = async () => (await view?.find([{ key, tier: "HOT" }]))?.[0];
  const found = await find();
  if (!view || !found) throw new Error("There is no file in the view.");
  const take = async (how: IngestAs, signal?: AbortSignal, file = found) =>
    (await view.take([{ key, file, how }], signal))?.[0] ?? null;
  const objectPath = (object: string) => join(test.root, ".tierkeep/objects", object.slice(0, 2), object);
  return { ...test, path, find, take, objectPath };
}

describe("ingesting a file of the tree", () => {
  const bytes = someBytes(20_000_000);

  it("makes it an object by a read-only link that keeps its time, whatever its size", async () => {
    await using test = await withFile(bytes);
    const before = lstatSync(test.path);
    const object = newObject();
    const taken = await test.take({ as: "new", object });
    expect(taken).toEqual({
      state: "taken",
      sizeBytes: bytes.length,
      checksum: sha256(bytes),
      copied: false,
    });
    const after = lstatSync(test.objectPath(object));
    expect([after.ino, after.mtimeMs, after.mode & 0o777]).toEqual([before.ino, before.mtimeMs, 0o440]);
  });

  it.each([
    ["take.link", "EXDEV"],
    ["take.link", "EMLINK"],
    ["take.mode", "EPERM"],
  ] as const)("copies it where %s fails with %s, and leaves the file unchanged", async (step, code) => {
    await using test = await withFile(bytes, refusing(step, code));
    const object = newObject();
    expect(await test.take({ as: "new", object })).toMatchObject({
      state: "taken",
      copied: true,
      checksum: sha256(bytes),
    });
    expect(readFileSync(test.objectPath(object)).equals(bytes)).toBe(true);
    expect(lstatSync(test.objectPath(object)).ino).not.toBe(lstatSync(test.path).ino);
    expect(lstatSync(test.path)).toMatchObject({ nlink: 1, mode: 0o100640 });
    expect(lstatSync(test.objectPath(object)).mtimeMs).toBeCloseTo(lstatSync(test.path).mtimeMs, -1);
  });

  it.each([0o600, 0o640, 0o666, 0o444])(
    "makes it readable by no more users than before: mode %o",
    async (mode) => {
      for (const step of [null, "take.link"] as const) {
        await using test = await withFile(someBytes(9), step === null ? realDisk : refusing(step, "EXDEV"));
        chmodSync(test.path, mode);
        const object = newObject();
        const taken = await test.take({ as: "new", object });
        expect(taken).toMatchObject({ state: "taken", copied: step !== null });
        expect(lstatSync(test.objectPath(object)).mode & 0o777).toBe(mode & 0o444);
      }
    },
  );

  it("copies a writable file with a name outside the tree, which keeps its mode", async () => {
    await using test = await withFile(someBytes(9));
    const outside = `${test.path}.outside`;
    linkSync(test.path, outside);
    const file = (await test.find()) ?? undefined;
    expect(await test.take({ as: "new", object: newObject() }, undefined, file)).toMatchObject({
      state: "taken",
      copied: true,
    });
    expect(lstatSync(outside)).toMatchObject({ nlink: 2, mode: 0o100640 });
    chmodSync(outside, 0o440);
    expect(await test.take({ as: "new", object: newObject() }, undefined, file)).toMatchObject({
      state: "taken",
      copied: false,
    });
    expect(lstatSync(outside)).toMatchObject({ nlink: 3, mode: 0o100440 });
  });

  it("only hashes it where requested", async () => {
    await using test = await withFile(bytes);
    expect(await test.take({ as: "look" })).toMatchObject({ state: "taken", checksum: sha256(bytes) });
    expect(lstatSync(test.path)).toMatchObject({ nlink: 1, mode: 0o100640 });
  });

  it("skips a file that has been replaced since it was found", async () => {
    await using test = await withFile(bytes);
    writeFileSync(test.path, "other");
    const object = newObject();
    expect(await test.take({ as: "new", object })).toEqual({ state: "changed" });
    expect(await test.take({ as: "own", object })).toEqual({ state: "changed" });
    expect(existsSync(test.objectPath(object))).toBe(false);
  });

  it("restores the file where the call is aborted", async () => {
    const calledOff = new AbortController();
    const disk = withoutFsync(realDisk);
    await using test = await withFile(bytes, {
      ...disk,
      chmod: (step, descriptor, mode) => {
        disk.chmod(step, descriptor, mode);
        calledOff.abort();
      },
    });
    const object = newObject();
    expect(await test.take({ as: "new", object }, calledOff.signal)).toBeNull();
    expect(lstatSync(test.path)).toMatchObject({ nlink: 1, mode: 0o100640 });
    expect(existsSync(test.objectPath(object))).toBe(false);
  });
});
