import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openedPath, storedPath } from "./paths.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "tierkeep-paths-")));
  mkdirSync(join(folder, "site", "artifacts"), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the path of a setting", () => {
  it("is stored relative to the store where it is in the folder that holds the store", () => {
    const root = join(folder, "site", "artifacts");
    expect(storedPath(root, join(folder, "site", "logs"))).toBe("../logs");
    expect(storedPath(root, join(root, "logs"))).toBe("logs");
    expect(openedPath(join(folder, "moved", "artifacts"), "../logs")).toBe(join(folder, "moved", "logs"));
  });

  it("is stored as an absolute path elsewhere", () => {
    const root = join(folder, "site", "artifacts");
    expect(storedPath(root, join(folder, "logs"))).toBe(join(folder, "logs"));
    expect(storedPath("/artifacts", "/var/log/tierkeep")).toBe("/var/log/tierkeep");
    expect(openedPath(join(folder, "moved"), join(folder, "logs"))).toBe(join(folder, "logs"));
  });

  it("is stored relative where store and path were both given as relative ones", () => {
    expect(storedPath("data/store/artifacts", "logs")).toBe("../../../logs");
  });

  it("follows symbolic links, so that it means the same for every path to the store", () => {
    symlinkSync(join(folder, "site", "artifacts"), join(folder, "link"));
    const stored = storedPath(join(folder, "link"), join(folder, "site", "logs"));
    expect(stored).toBe("../logs");
    expect(openedPath(join(folder, "link"), stored)).toBe(join(folder, "site", "logs"));
  });
});
