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

describe("storedPath and openedPath", () => {
  it("store a path in the folder that contains the store relative to the store", () => {
    const root = join(folder, "site", "artifacts");
    expect(storedPath(root, join(folder, "site", "logs"))).toBe("../logs");
    expect(storedPath(root, join(root, "logs"))).toBe("logs");
    expect(openedPath(join(folder, "moved", "artifacts"), "../logs")).toBe(join(folder, "moved", "logs"));
  });

  it("store any other path as an absolute path", () => {
    const root = join(folder, "site", "artifacts");
    expect(storedPath(root, join(folder, "logs"))).toBe(join(folder, "logs"));
    expect(storedPath("/artifacts", "/var/log/tierkeep")).toBe("/var/log/tierkeep");
    expect(openedPath(join(folder, "moved"), join(folder, "logs"))).toBe(join(folder, "logs"));
  });

  it("store a relative path if store and path were both given as relative paths", () => {
    expect(storedPath("data/store/artifacts", "logs")).toBe("../../../logs");
  });

  it("resolve symbolic links, so that the result is the same for every path to the store", () => {
    symlinkSync(join(folder, "site", "artifacts"), join(folder, "link"));
    const stored = storedPath(join(folder, "link"), join(folder, "site", "logs"));
    expect(stored).toBe("../logs");
    expect(openedPath(join(folder, "link"), stored)).toBe(join(folder, "site", "logs"));
  });
});
