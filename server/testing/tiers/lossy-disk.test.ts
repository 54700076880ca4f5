import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LossyDisk, type LossyDiskOptions, SimulatedCrash } from "./lossy-disk.ts";

let root: string;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tierkeep-lossy-"));
  root = join(folder, "root");
  mkdirSync(root);
});

afterEach(() => {
  expect(readdirSync(folder)).toEqual(["root"]);
  rmSync(folder, { recursive: true });
});

const open = (options?: LossyDiskOptions) => new LossyDisk(root, options);
const at = (...names: string[]) => join(root, ...names);

function written(disk: LossyDisk, path: string, content: string): number {
  const descriptor = disk.create("object.create", path);
  disk.append("object.append", descriptor, Buffer.from(content));
  return descriptor;
}

describe("LossyDisk", () => {
  it("keeps a file whose bytes and name were both synced", () => {
    const disk = open();
    disk.fsync("object.fsync", written(disk, at("a"), "hello"));
    disk.fsyncDirectory("object.directory.fsync", root);
    disk.crash("everything");
    expect(readFileSync(at("a"), "utf8")).toBe("hello");
  });

  it("loses the name of a file that was synced in a directory that was not", () => {
    const disk = open();
    disk.fsync("object.fsync", written(disk, at("a"), "hello"));
    disk.crash("everything");
    expect(existsSync(at("a"))).toBe(false);
  });

  it("restores a removed directory and the file whose path became a directory, until they are synced", () => {
    const change = (disk: LossyDisk) => {
      disk.unlink("view.folder.unlink", at("a"));
      disk.mkdir("view.mkdir", at("a"));
      disk.rmdir("view.folder.rmdir", at("empty"));
    };
    writeFileSync(at("a"), "hello");
    mkdirSync(at("empty"));
    const disk = open();
    change(disk);
    disk.crash("everything");
    expect([readFileSync(at("a"), "utf8"), readdirSync(root)]).toEqual(["hello", ["a", "empty"]]);
    const next = open();
    change(next);
    next.fsyncDirectory("view.parent.fsync", root);
    next.crash("everything");
    expect([statSync(at("a")).isDirectory(), readdirSync(root)]).toEqual([true, ["a"]]);
  });

  it("keeps an empty file of which only the name was synced", () => {
    const disk = open();
    written(disk, at("a"), "hello");
    disk.fsyncDirectory("object.directory.fsync", root);
    disk.crash("everything");
    expect(readFileSync(at("a"), "utf8")).toBe("");
    expect(lstatSync(at("a")).mode & 0o777).toBe(0o444);
  });

  it("loses bytes that were appended after the last sync", () => {
    const disk = open();
    const descriptor = written(disk, at("a"), "hello");
    disk.fsync("object.fsync", descriptor);
    disk.append("object.append", descriptor, Buffer.from(" world"));
    disk.fsyncDirectory("object.directory.fsync", root);
    disk.crash("everything");
    expect(readFileSync(at("a"), "utf8")).toBe("hello");
  });

  it("loses a modification time that was not synced", () => {
    for (const [name, synced] of [
      ["lost", false],
      ["kept", true],
    ] as const) {
      const disk = open();
      const descriptor = written(disk, at(name), "");
      disk.fsync("object.fsync", descriptor);
      disk.stamp("object.stamp", descriptor, 1_000_000);
      if (synced) disk.fsync("object.fsync", descriptor);
      disk.fsyncDirectory("object.directory.fsync", root);
      disk.crash("everything");
      expect(statSync(at(name)).mtimeMs === 1_000_000).toBe(synced);
    }
  });

  it("restores files that were unlinked or replaced without a sync", () => {
    for (const name of ["a", "b", "c"]) writeFileSync(at(name), name);
    const disk = open();
    disk.unlink("object.unlink", at("a"));
    disk.rename("view.sidecar.rename", at("b"), at("c"));
    disk.crash("everything");
    expect(["a", "b", "c"].map((name) => readFileSync(at(name), "utf8"))).toEqual(["a", "b", "c"]);
  });

  it("keeps a synced unlink", () => {
    writeFileSync(at("a"), "a");
    const disk = open();
    disk.unlink("object.unlink", at("a"));
    disk.fsyncDirectory("object.unlink.fsync", root);
    disk.crash("everything");
    expect(existsSync(at("a"))).toBe(false);
  });

  it("loses a file that was renamed out of a synced directory into one that was not", () => {
    for (const name of ["from", "to"]) mkdirSync(at(name));
    writeFileSync(at("from", "a"), "a");
    const disk = open();
    disk.rename("view.quarantine.rename", at("from", "a"), at("to", "a"));
    disk.fsyncDirectory("view.directory.fsync", at("from"));
    disk.crash("everything");
    expect(readdirSync(root, { recursive: true }).sort()).toEqual(["from", "to"]);
  });

  it("never loses both names of a renamed file where neither directory was synced", () => {
    for (const name of ["from", "to"]) mkdirSync(at(name));
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 30; seed += 1) {
      writeFileSync(at("from", "a"), "a");
      const disk = open();
      disk.rename("view.quarantine.rename", at("from", "a"), at("to", "b"));
      disk.crash({ seed });
      outcomes.add(`${readdirSync(at("from"))} ${readdirSync(at("to"))}`);
      for (const name of ["from/a", "to/b"]) rmSync(at(name), { force: true });
    }
    expect(outcomes).toEqual(new Set(["a ", " b", "a b"]));
  });

  it("undoes the rename or creation of a directory with its contents", () => {
    mkdirSync(at("old", "inner"), { recursive: true });
    const disk = open();
    disk.rename("view.quarantine.rename", at("old"), at("moved"));
    disk.mkdir("view.mkdir", at("old"));
    disk.fsync("object.fsync", written(disk, at("old", "a"), "a"));
    disk.fsyncDirectory("object.directory.fsync", at("old"));
    disk.crash("everything");
    expect(readdirSync(root, { recursive: true }).sort()).toEqual(["old", "old/inner"]);
  });

  it("undoes names of symbolic links without following them", () => {
    symlinkSync("nowhere", at("a"));
    const disk = open();
    disk.rename("view.quarantine.rename", at("a"), at("b"));
    disk.crash("everything");
    expect(lstatSync(at("a")).isSymbolicLink()).toBe(true);
    expect(readdirSync(root)).toEqual(["a"]);
  });

  it("keeps everything when only the process dies", () => {
    writeFileSync(at("b"), "b");
    const disk = open();
    written(disk, at("a"), "hello");
    disk.unlink("object.unlink", at("b"));
    disk.crash("nothing");
    expect(readdirSync(root)).toEqual(["a"]);
    expect(readFileSync(at("a"), "utf8")).toBe("hello");
  });

  it("loses a part that depends on the seed only, and over many seeds every part", () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 40; seed += 1) {
      const once = [1, 2].map(() => {
        const disk = open();
        written(disk, at("a"), "hello");
        written(disk, at("b"), "");
        disk.crash({ seed });
        const left = readdirSync(root).map((name) => `${name}=${readFileSync(at(name), "latin1")}`);
        for (const name of readdirSync(root)) rmSync(at(name));
        return left.join();
      });
      expect(once[0]).toBe(once[1]);
      outcomes.add(once[0] ?? "");
    }
    for (const part of [/^$/, /^b=$/, /^a=hello,b=$/, /^a=hello$/, /^a=hel(,|$)/, /^a=h\0{4}/]) {
      expect([...outcomes].some((outcome) => part.test(outcome))).toBe(true);
    }
  });

  it("crashes before the requested step, closes its descriptors, and rejects every later call", () => {
    const steps: string[] = [];
    const disk: LossyDisk = open({
      onStep: (step) => {
        steps.push(step);
        if (step === "object.fsync") disk.crash("everything");
      },
    });
    const descriptor = written(disk, at("a"), "hello");
    expect(() => disk.fsync("object.fsync", descriptor)).toThrow(SimulatedCrash);
    expect(steps).toEqual(["object.create", "object.append", "object.fsync"]);
    expect(() => disk.close(descriptor)).toThrow(SimulatedCrash);
    expect(() => disk.lstat(root)).toThrow(SimulatedCrash);
    expect(() => disk.mkdir("view.mkdir", at("d"))).toThrow(SimulatedCrash);
    expect(readdirSync(root)).toEqual([]);
  });
});
