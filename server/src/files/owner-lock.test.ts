import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { tempDir } from "../../testing/sqlite/temp-dir.ts";
import { tryOwn } from "./owner-lock.ts";

/** Another process that tries to acquire the lock and reports the result. */
async function otherOwner(path: string): Promise<{ readonly owns: boolean; readonly child: ChildProcess }> {
  const script = `
    const { tryOwn } = await import(${JSON.stringify(new URL("./owner-lock.ts", import.meta.url).href)});
    globalThis.lock = tryOwn(${JSON.stringify(path)});
    console.log(globalThis.lock === null ? "refused" : "owns");
    setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  return { owns: said.toString().trim() === "owns", child };
}

async function end(child: ChildProcess, signal: NodeJS.Signals) {
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}

describe("tryOwn", () => {
  it("lets one process own the store, and rejects a second call of the same process", async () => {
    using folder = tempDir();
    const path = folder.file("owner.lock");
    const lock = tryOwn(path);
    expect(lock).not.toBeNull();
    expect(tryOwn(path)).toBeNull();
    const other = await otherOwner(path);
    expect(other.owns).toBe(false);
    await end(other.child, "SIGKILL");
    lock?.release();
    const again = tryOwn(path);
    expect(again).not.toBeNull();
    again?.release();
  });

  it("keeps the lock of a stopped process, and releases that of a killed one", async () => {
    using folder = tempDir();
    const path = folder.file("owner.lock");
    const { owns, child } = await otherOwner(path);
    expect(owns).toBe(true);
    expect(tryOwn(path)).toBeNull();
    child.kill("SIGSTOP");
    expect(tryOwn(path)).toBeNull();
    await end(child, "SIGKILL");
    const lock = tryOwn(path);
    expect(lock).not.toBeNull();
    lock?.release();
  });

  it("throws the reason when its file cannot be created", () => {
    using folder = tempDir();
    expect(() => tryOwn(folder.file("missing/owner.lock"))).toThrow();
  });
});
