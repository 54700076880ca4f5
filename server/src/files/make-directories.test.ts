import { lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeDirectories } from "./make-directories.ts";

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "tierkeep-directories-"));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe("makeDirectories", () => {
  it("makes the missing directories and returns the topmost of them", async () => {
    const path = join(dir, "a/b/c");
    expect(await makeDirectories(path, 0o700)).toBe(join(dir, "a"));
    expect(lstatSync(path).mode & 0o777).toBe(0o700);
    expect(lstatSync(join(dir, "a/b")).mode & 0o777).toBe(0o777 & ~process.umask());
    expect(await makeDirectories(path)).toBeNull();
    expect(lstatSync(path).mode & 0o777).toBe(0o700);
  });

  it("accepts a link to a directory and rejects a file and a link to nothing", async () => {
    mkdirSync(join(dir, "real"));
    symlinkSync("real", join(dir, "link"));
    expect(await makeDirectories(join(dir, "link"))).toBeNull();
    expect(await makeDirectories(join(dir, "link/inner"))).toBe(join(dir, "link/inner"));
    writeFileSync(join(dir, "file"), "");
    await expect(makeDirectories(join(dir, "file"))).rejects.toMatchObject({ code: "EEXIST" });
    await expect(makeDirectories(join(dir, "file/inner"))).rejects.toMatchObject({ code: "ENOTDIR" });
    symlinkSync("nothing", join(dir, "dangling"));
    await expect(makeDirectories(join(dir, "dangling"))).rejects.toMatchObject({ code: "EEXIST" });
    await expect(makeDirectories(join(dir, "dangling/inner"))).rejects.toThrow();
  });

  it.runIf(process.platform === "linux")(
    "rejects a path below /proc instead of trying for ever",
    async () => {
      await expect(makeDirectories("/proc/tierkeep/store")).rejects.toMatchObject({ code: "ENOENT" });
      await expect(makeDirectories("/proc/tierkeep")).rejects.toMatchObject({ code: "ENOENT" });
    },
  );
});
