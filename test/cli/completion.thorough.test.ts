import { execFile } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { removeDirectory, runCommand, temporaryDirectory } from "../support/server.ts";
import { CASES } from "./command-cases.ts";

const execute = promisify(execFile);
const COMMANDS = Object.keys(CASES);

let dir: string;

beforeAll(async () => {
  dir = await temporaryDirectory();
  await mkdir(join(dir, "folder"));
  await writeFile(join(dir, "file with spaces.txt"), "");
  const { stdout, stderr, code } = await runCommand(["completion", "bash"], { cwd: dir });
  expect([code, stderr]).toEqual([0, ""]);
  await writeFile(join(dir, "tierkeep.bash"), stdout);
});

afterAll(async () => {
  await removeDirectory(dir);
});

/** Returns the completions that bash offers for the last of these words. */
async function offered(...words: readonly string[]): Promise<string[]> {
  const script = `
    source tierkeep.bash
    # compopt works only within a real completion.
    compopt() { :; }
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    "$(complete -p tierkeep | sed 's/.*-F \\([^ ]*\\) .*/\\1/')"
    ((\${#COMPREPLY[@]} == 0)) || printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await execute(
    "bash",
    ["--norc", "-euo", "pipefail", "-c", script, "bash", ...words],
    { cwd: dir, env: { PATH: process.env.PATH } },
  );
  expect(stderr).toBe("");
  return stdout.split("\n").slice(0, -1).sort();
}

describe("completion in bash", () => {
  it("offers every command and help", async () => {
    expect(await offered("tierkeep", "")).toEqual([...COMMANDS, "help"].sort());
    expect(await offered("tierkeep", "help", "")).toEqual([...COMMANDS].sort());
    expect(await offered("tierkeep", "lif")).toEqual(["lifecycle"]);
  });

  it("offers only options of the command before the cursor", async () => {
    expect(await offered("tierkeep", "lifecycle", "")).toEqual(["cancel", "jobs", "run", "summary"]);
    expect(await offered("tierkeep", "lifecycle", "run", "--d")).toEqual(["--dry-run"]);
    expect(await offered("tierkeep", "ls", "--sort", "size", "--li")).toEqual(["--limit"]);
    expect(await offered("tierkeep", "ls", "--d")).toEqual([]);
  });

  it("offers the values of an option", async () => {
    expect(await offered("tierkeep", "ls", "--tier", "")).toEqual(["cold", "hot", "warm"]);
    expect(await offered("tierkeep", "ls", "--tier", "=", "w")).toEqual(["warm"]);
    expect(await offered("tierkeep", "lifecycle", "run", "--step", "pu")).toEqual(["purge"]);
    expect(await offered("tierkeep", "ls", "--limit", "")).toEqual([]);
  });

  it("offers files or folders for arguments and options that name them", async () => {
    expect(await offered("tierkeep", "gql", "f")).toEqual(["file with spaces.txt", "folder"]);
    expect(await offered("tierkeep", "demo", "--dir", "f")).toEqual(["folder"]);
  });

  it("opens no store", async () => {
    expect((await readdir(dir)).sort()).toEqual(["file with spaces.txt", "folder", "tierkeep.bash"]);
  });
});

describe.each(["zsh", "fish"])("completion in %s", (shell) => {
  it("is a script with every command and its options", async () => {
    const { stdout, code } = await runCommand(["completion", shell], { cwd: dir });
    expect(code).toBe(0);
    for (const command of COMMANDS) expect(stdout).toContain(`tierkeep ${command}`);
    expect(stdout).toContain("older-than");
  });
});
