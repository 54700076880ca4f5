import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CommandResult, removeDirectory, runCommand, startServer } from "../support/server.ts";
import { CASES, type Call, type CommandCase, type Copy, type Mode } from "./command-cases.ts";
import { normalized } from "./normalized.ts";
import { copyOf, EVERYTHING_DUE, type Seed, seedStore } from "./seeded-store.ts";

const commands = Object.entries<CommandCase>(CASES);

let seed: Seed;
/** Stores that no call changes, by mode. All such calls share them. */
let unchanged: Readonly<Record<Mode, CommandSite>>;

beforeAll(async () => {
  seed = await seedStore();
  unchanged = { remote: await openSite("remote"), embedded: await openSite("embedded") };
});

afterAll(async () => {
  for (const site of Object.values(unchanged ?? {})) await site[Symbol.asyncDispose]();
  await removeDirectory(seed.dir);
});

describe.each(commands)("tierkeep %s", (command, { client, calls, prepare }) => {
  const mode = client ? "remote" : "embedded";
  /** Returns whether a call needs a store of this command alone. */
  const isOwn = ({ changes }: Call) => changes === true || prepare !== undefined;
  const needsOwn = Object.values(calls).some(isOwn);

  describe(client ? "as a server's client" : "by itself", () => {
    let own: CommandSite | undefined;

    beforeAll(async () => {
      if (needsOwn) own = await openSite(mode, prepare);
    });

    afterAll(async () => {
      await own?.[Symbol.asyncDispose]();
    });

    it.each(Object.entries(calls))("%s: writes text and JSON", async (what, call) => {
      const { run, dir } = (isOwn(call) ? own : undefined) ?? unchanged[mode];
      // A refusal without JSON is a sentence, which no width changes.
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
        const text = normalized(`${stdout}${stderr === "" ? "" : `--- stderr\n${stderr}`}`, dir);
        await expect(text).toMatchFileSnapshot(`snapshots/${command}/${fileNameOf(what)}.${columns}.txt`);
      }
      if (json !== null) expectJson(call, json, mode);
    });
  });

  if (client) {
    it("does the same without a server", { timeout: 60_000 }, async () => {
      await using own = needsOwn ? await openSite("embedded", prepare) : null;
      for (const call of Object.values(calls)) {
        const { run } = (isOwn(call) ? own : null) ?? unchanged.embedded;
        if (call.json !== null) expectJson(call, await run(call, "a", ["--json"]), "embedded");
      }
    });
  }
});

/** A copy of the seeded store that commands run on: as clients of a server, or by opening the store. */
interface CommandSite extends AsyncDisposable {
  readonly dir: string;
  readonly run: (
    call: Call,
    copy: Copy,
    more?: readonly string[],
    columns?: number,
  ) => Promise<CommandResult>;
}

async function openSite(mode: Mode, prepare?: CommandCase["prepare"]): Promise<CommandSite> {
  const dir = await copyOf(seed);
  await prepare?.(dir);
  const server = mode === "remote" ? await startServer({ dir, env: EVERYTHING_DUE }) : null;
  const url = server === null ? [] : ["--url", server.url];
  return {
    dir,
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

function fileNameOf(what: string): string {
  return what.replaceAll(/[^a-z]+/gi, "-").replace(/-$/, "");
}
