import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { removeDirectory, runCommand, temporaryDirectory } from "../support/server.ts";

// In the slow suite only because it needs zsh and fish. On Debian: apt-get install zsh fish

let dir: string;

beforeAll(async () => {
  dir = await temporaryDirectory();
  for (const shell of ["zsh", "fish"]) {
    const { stdout, code } = await runCommand(["completion", shell]);
    expect(code).toBe(0);
    await writeFile(join(dir, `tierkeep.${shell}`), stdout);
  }
});

afterAll(async () => {
  await removeDirectory(dir);
});

function linesOf(shell: string, args: readonly string[]): string[] {
  const env = { PATH: process.env.PATH, HOME: dir, LANG: "C.UTF-8" };
  const stdout = execFileSync(shell, args, { cwd: dir, env, encoding: "utf8" });
  return stdout.split("\n").slice(0, -1);
}

/** Returns fish's completions at the end of a line, without descriptions. */
function offeredByFish(line: string): string[] {
  const script = "source tierkeep.fish; complete -C $argv[1]";
  return linesOf("fish", ["--no-config", "-c", script, line]).map((offer) => offer.split("\t")[0] ?? "");
}

/** Returns the script's completions of the last word. Stubs of zsh's completion functions print them. */
function offeredByZsh(...words: readonly string[]): string[] {
  const script = `
    compdef() { :; }
    compadd() { shift; print -rl -- "$@"; }
    _files() { print -r -- "files $*"; }
    _describe() { local name=$@[-1]; print -rl -- \${(P)name%%:*}; }
    source ./tierkeep.zsh
    words=("$@") CURRENT=$# PREFIX=$@[-1]
    _tierkeep`;
  return linesOf("zsh", ["-f", "-c", script, "zsh", ...words]);
}

describe("completion in fish", () => {
  it("offers commands, subcommands and help", () => {
    expect(offeredByFish("tierkeep lif")).toEqual(["lifecycle"]);
    expect(offeredByFish("tierkeep lifecycle ").sort()).toEqual(["cancel", "jobs", "run", "summary"]);
    expect(offeredByFish("tierkeep help ev")).toEqual(["events"]);
  });

  it("offers options and their values", () => {
    expect(offeredByFish("tierkeep lifecycle run --d")).toEqual(["--dry-run"]);
    expect(offeredByFish("tierkeep ls --tier ").sort()).toEqual(["cold", "hot", "warm"]);
    expect(offeredByFish("tierkeep ls --d")).toEqual([]);
  });

  it("offers files where one is meant", () => {
    expect(offeredByFish("tierkeep gql tierkeep.z")).toEqual(["tierkeep.zsh"]);
  });
});

describe("completion in zsh", () => {
  it("offers commands, subcommands and help", () => {
    expect(offeredByZsh("tierkeep", "")).toContain("lifecycle");
    expect(offeredByZsh("tierkeep", "lifecycle", "")).toEqual(["run", "summary", "jobs", "cancel"]);
    expect(offeredByZsh("tierkeep", "help", "")).toContain("events");
  });

  it("offers options and their values", () => {
    expect(offeredByZsh("tierkeep", "lifecycle", "run", "--")).toContain("--dry-run");
    expect(offeredByZsh("tierkeep", "ls", "--tier", "")).toEqual(["hot", "warm", "cold"]);
    expect(offeredByZsh("tierkeep", "ls", "--limit", "")).toEqual([]);
  });

  it("offers files where one is meant", () => {
    expect(offeredByZsh("tierkeep", "gql", "")).toEqual(["files "]);
    expect(offeredByZsh("tierkeep", "demo", "--dir", "")).toEqual(["files -/"]);
  });
});
