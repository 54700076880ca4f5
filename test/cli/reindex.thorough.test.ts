import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CommandResult, removeDirectory, runCommand, temporaryDirectory } from "../support/server.ts";
import { objectWith } from "../support/storage-tree.ts";

let dir: string;

beforeEach(async () => {
  dir = await temporaryDirectory();
  await put("cold/acme/weekly/report.md", "# Report\n");
  await put("cold/acme/weekly/report.md.metadata.json", '{ "author": "Ada" }');
});

afterEach(async () => {
  await removeDirectory(dir);
});

/** Writes a file into the tree as another system would. */
async function put(path: string, content: string): Promise<void> {
  const file = join(dir, "artifacts", path);
  await mkdir(join(file, ".."), { recursive: true });
  await writeFile(file, content);
}

/** Each call starts a process that opens the store. */
const SEVERAL_CALLS = { timeout: 300_000 };

const tierkeep = (line: string): Promise<CommandResult> => runCommand(line.split(" "), { cwd: dir });

describe("reindex", () => {
  it(
    "adopts a tree, blocks purges until it is confirmed, and says how to confirm it",
    SEVERAL_CALLS,
    async () => {
      const reindex = await tierkeep("reindex");
      expect(reindex.code).toBe(0);
      expect(reindex.stdout).toMatch(/^adopted +cold\/acme\/weekly\/report\.md /m);
      expect(reindex.stdout).toContain("Adopted 1 artifact; 0 already there");
      expect(reindex.stderr).toMatch(/^tierkeep: foreign files blocked .*report\.md\.metadata\.json/m);
      expect((await tierkeep("stat acme/weekly/report.md")).stdout).toContain("author = Ada");

      expect(await tierkeep("purge acme/weekly/report.md --yes")).toMatchObject({ code: 4 });
      const [, confirm = ""] = /: tierkeep (reindex --confirm \S+)$/m.exec(reindex.stderr) ?? [];
      expect(confirm).toContain("--confirm");
      for (const command of ["reindex --confirm", confirm]) {
        expect(await tierkeep(command)).toMatchObject({
          code: 0,
          stdout: expect.stringContaining("is confirmed"),
        });
      }
      expect((await tierkeep("reindex --confirm")).stderr).toBe("No reindex waits for confirmation.\n");
      expect(await tierkeep("purge acme/weekly/report.md --yes")).toMatchObject({ code: 0 });
    },
  );

  it("ends with 4 each time while something is left to review", SEVERAL_CALLS, async () => {
    await put("hot/acme/weekly/CON", "not a valid artifact id");
    const [first, second] = [await tierkeep("reindex"), await tierkeep("reindex")];
    expect([first.code, second.code]).toEqual([4, 4]);
    expect(second.stdout).toMatch(/^name refused +hot\/acme\/weekly\/CON /m);
    expect(second.stdout).toContain("Adopted 0 artifacts; 1 already there, 0 moved to quarantine, 1 left");
  });

  it("ends with 7 if a sidecar has another checksum", async () => {
    await put("cold/acme/weekly/report.md.metadata.json", `{ "_checksum": "${"0".repeat(64)}" }`);
    const { code, stdout } = await tierkeep("reindex");
    expect([code, stdout]).toEqual([7, expect.stringMatching(/^checksum differs /m)]);
  });
});

describe("verify", () => {
  it("ends with 0 without a problem, and with 7 if bytes have changed", SEVERAL_CALLS, async () => {
    await tierkeep("reindex");
    expect(await tierkeep("verify")).toMatchObject({
      code: 0,
      stdout: "Verified 1 artifact, 9 B: 0 damaged, 0 missing; 0 unknown files: SUCCEEDED\n",
    });
    const object = (await objectWith({ dir }, Buffer.from("# Report\n"))) ?? "";
    await chmod(object, 0o600);
    await writeFile(object, "# Retort\n");
    const { code, stdout } = await tierkeep("verify");
    expect([code, stdout]).toEqual([7, expect.stringMatching(/^damaged +cold\/acme\/weekly\/report\.md /m)]);
  });
});
