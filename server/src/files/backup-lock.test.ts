import { execFileSync } from "node:child_process";
import process from "node:process";
import { expect, it } from "vitest";
import { tempDir } from "../../testing/sqlite/temp-dir.ts";
import { BackupWatch, pinForBackup } from "./backup-lock.ts";

it("holds the pin until the last backup releases it", () => {
  using dir = tempDir();
  const path = dir.file("backup-lock.db");
  using watch = new BackupWatch(path);
  expect(watch.isHeld()).toBe(false);
  {
    using _one = pinForBackup(path);
    {
      using _other = pinForBackup(path);
      expect(watch.isHeld()).toBe(true);
    }
    expect(watch.isHeld()).toBe(true);
  }
  expect(watch.isHeld()).toBe(false);
});

it("sees the pin of another process, until that process dies", { timeout: 60_000 }, () => {
  using dir = tempDir();
  const path = dir.file("backup-lock.db");
  const module = JSON.stringify(new URL("./backup-lock.ts", import.meta.url).href);
  const inAnother = (script: string) => {
    const code = `import { BackupWatch, pinForBackup } from ${module}; const path = ${JSON.stringify(path)}; ${script}`;
    try {
      return execFileSync(process.execPath, ["--input-type=module", "--eval", code], { encoding: "utf8" });
    } catch (error) {
      return (error as { readonly signal: string }).signal;
    }
  };
  const die = "pinForBackup(path); process.kill(process.pid, 'SIGKILL'); await new Promise(() => {})";
  {
    using _held = pinForBackup(path);
    expect(inAnother("console.log(new BackupWatch(path).isHeld())")).toBe("true\n");
  }
  expect(inAnother(die)).toBe("SIGKILL");
  using watch = new BackupWatch(path);
  expect(watch.isHeld()).toBe(false);
});
