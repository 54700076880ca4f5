import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { CommandProcess } from "../../../../prove/command-process.ts";
import { Folder } from "../../../../testing/cli/command-folder.ts";

/** Waits for the server that the suite kills, and returns its URL. */
async function serverOf(folder: Folder, prove: CommandProcess): Promise<string> {
  for (;;) {
    const [scratch = ""] = await readdir(folder.path);
    const owner = join(folder.path, scratch, "crash/artifacts/.tierkeep/owner.json");
    const text = await readFile(owner, "utf8").catch(() => null);
    if (text !== null) return JSON.parse(text).url;
    if (prove.child.exitCode !== null) throw new Error(prove.stderr);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

it.each([
  ["once", ["SIGINT"], 130],
  ["by SIGTERM", ["SIGTERM"], 143],
  ["twice, without waiting", ["SIGINT", "SIGTERM"], 143],
] as const)("prove, interrupted %s, leaves neither files nor processes", async (_, signals, code) => {
  await using folder = await Folder.make();
  await using prove = folder.start(["prove", "--only", "crash"]);
  const server = await serverOf(folder, prove);
  for (const signal of signals) prove.child.kill(signal);
  expect((await prove.ended).code).toBe(code);
  expect(await readdir(folder.path)).toEqual([]);
  await expect(fetch(server)).rejects.toThrow();
});

it("prove needs no test framework", async () => {
  const hook = `import { registerHooks } from "node:module";
    registerHooks({ resolve(name, context, next) {
      if (/^(vitest|fast-check)/.test(name)) throw new Error("Users have no " + name);
      return next(name, context);
    } });`;
  await using folder = await Folder.make();
  const { code, stderr } = await folder.run(["prove", "--only", "tamper", "--cycles", "1"], {
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hook)}`,
  });
  expect(code, stderr).toBe(0);
});
