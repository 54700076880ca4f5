import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CommandResult, removeDirectory, runCommand, startServer } from "../support/server.ts";
import { CASES, type Call, type CommandCase, type Copy, type Mode } from "./command-cases.ts";
import { copyOf, EVERYTHING_DUE, type Seed, seedStore } from "./seeded-store.ts";
import { withoutAccidents } from "./shown.ts";

let seed: Seed;

beforeAll(async () => {
  seed = await seedStore();
});

afterAll(async () => {
  await removeDirectory(seed.dir);
});

const commands = Object.entries<CommandCase>(CASES);

describe.each(commands)("tierkeep %s", (command, { client, calls, prepare }) => {
  describe(client ? "as a server's client" : "by itself", () => {
    let shared: Place;

    beforeAll(async () => {
      shared = await place(client ? "remote" : "embedded", prepare);
    });

    afterAll(async () => {
      await shared[Symbol.asyncDispose]();
    });

    it.each(Object.entries(calls))(
      "%s: for people on narrow and wide terminals, and for programs",
      async (what, call) => {
        await using own = call.undisturbed ? await place("remote", prepare) : null;
        const { run, dir, mode } = own ?? shared;
        // A refusal is a sentence, and no table.
        const widths = call.json === null && exitOf(call, mode) !== 0 ? [60] : [60, 120];
        const runs = [
          async () => (call.json === null ? null : await run(call, "c", ["--json"])),
          ...widths.map((columns, index) => () => run(call, index === 0 ? "a" : "b", [], columns)),
        ];
        const [json = null, ...shown] = call.oneByOne
          ? await Array.fromAsync(runs, (start) => start())
          : await Promise.all(runs.map((start) => start()));
        for (const [index, columns] of widths.entries()) {
          const { stdout, stderr, code } = shown[index] as CommandResult;
          expect(code).toBe(exitOf(call, mode));
          const text = withoutAccidents(`${stdout}${stderr === "" ? "" : `--- stderr\n${stderr}`}`, dir);
          await expect(text).toMatchFileSnapshot(`snapshots/${command}/${fileNameOf(what)}.${columns}.txt`);
        }
        if (json !== null) expectJson(call, json, mode);
      },
    );
  });

  if (client) {
    it("does the same alone with the store", { timeout: 60_000 }, async () => {
      await using alone = await place("embedded", prepare);
      for (const call of Object.values(calls)) {
        if (call.json !== null) expectJson(call, await alone.run(call, "a", ["--json"]), "embedded");
      }
    });
  }

  it("says what it takes, with an example, and so does each of its subcommands", async () => {
    const help = await helpOf([command]);
    for (const [, subcommand = ""] of help.matchAll(/^ {2}([a-z]+) .*$/gm)) {
      if (help.includes(`\n  ${subcommand} [options]`)) await helpOf([command, subcommand]);
    }
  });
});

/** Where calls run: beside a server over a copy of the store, as its clients, or alone with the copy. */
interface Place extends AsyncDisposable {
  readonly dir: string;
  readonly mode: Mode;
  readonly run: (
    call: Call,
    copy: Copy,
    more?: readonly string[],
    columns?: number,
  ) => Promise<CommandResult>;
}

async function place(mode: Mode, prepare: CommandCase["prepare"]): Promise<Place> {
  const dir = await copyOf(seed);
  await prepare?.(dir);
  const server = mode === "remote" ? await startServer({ dir, env: EVERYTHING_DUE }) : null;
  const url = server === null ? [] : ["--url", server.url];
  return {
    dir,
    mode,
    run: (call, copy, more = [], columns = 80) =>
      runCommand([...call.args(copy, seed), ...url, ...more], {
        cwd: dir,
        env: { ...EVERYTHING_DUE, COLUMNS: String(columns), ...call.env },
        ...(call.input === undefined ? {} : { input: call.input }),
      }),
    async [Symbol.asyncDispose]() {
      await server?.[Symbol.asyncDispose]();
      await removeDirectory(dir);
    },
  };
}

function exitOf({ exit = 0 }: Call, mode: Mode): number {
  return typeof exit === "number" ? exit : exit[mode];
}

function expectJson(call: Call, { stdout, stderr, code }: CommandResult, mode: Mode): void {
  expect(code, stderr).toBe(exitOf(call, mode));
  const values = stdout.split("\n").slice(0, -1);
  for (const value of values) expect(() => JSON.parse(value)).not.toThrow();
  if (code !== 0) return;
  if (call.json === "document") expect(values).toHaveLength(1);
  else expect(values.length > 0).toBe(!call.none);
}

async function helpOf(path: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await runCommand(["help", ...path]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(new RegExp(`^Usage: tierkeep ${path.join(" ")} `));
  expect(stdout).toMatch(/\nExamples?:\n {2}/);
  return stdout;
}

function fileNameOf(what: string): string {
  return what.replaceAll(/[^a-z]+/gi, "-").replace(/-$/, "");
}
