import { randomInt } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdtemp, rmdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import process from "node:process";
import { REFUSALS } from "@tierkeep/schema/domain/refusals";
import { type Command, InvalidArgumentError, Option } from "commander";
import { killCommands } from "../../../../prove/command-process.ts";
import { type ProofResult, runSuite } from "../../../../prove/run-suite.ts";
import { SUITES } from "../../../../prove/suites.ts";
import { systemCodeOf } from "../../../app/embedded/store-files.ts";
import { StartProblem } from "../../../app/start-problem.ts";
import { processOutput } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { interruption } from "../../interruption.ts";
import { collecting } from "../../options/repeatable.ts";
import { startProgress } from "../../output/progress.ts";
import { commandOf, jsonOf, lineOf, showResults } from "./prove-results.ts";

interface Options {
  readonly only?: readonly string[];
  readonly cycles?: number;
  readonly seed?: number;
  readonly dir: string;
  readonly json?: true;
}

const NAMES = SUITES.map(({ name }) => name);
const MOST_CYCLES = 1_000_000;

const HELP = `
It works in a folder of its own, which goes at the end, and in no store of yours. All suites together take three minutes on
two idle cores, and 200 MB are room enough for any of them. A suite ends with the first thing that breaks: its part of the
folder stays then, and you are told how to do the same again.

Suites, each with what it tries to break and how often:
${SUITES.map(({ name, cycles, unit, claim }) => `  ${name} (${cycles} ${unit}): ${claim}`).join("\n")}

The same seed does the same again. What crash and backup do depends on timing as well: with the same seed they do much the
same, more than once if need be.

Exit codes: 0 nothing broke, 1 something did, 2 the request is wrong, 130 interrupted.

Examples:
  tierkeep prove
  tierkeep prove --only crash --cycles 1000
  tierkeep prove --only crash,tamper --seed 42 --dir /mnt/new-disk
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Tries to break what is promised, on this machine and its disk, and shows what came of it.")
    .addOption(
      collecting(
        new Option("--only <suites>", "only these suites, with commas between them; repeatable").choices(
          NAMES,
        ),
        suitesOf,
      ),
    )
    .option("--cycles <n>", "how often each suite tries (default: as below)", cyclesOf)
    .option("--seed <n>", "what chance begins with (default: another each time, which is shown)", seedOf)
    .option("--dir <folder>", "where to make its folder: on the disk that is to be tried", ".")
    .option("--json", "write JSON to stdout, a line for each suite")
    .addHelpText("after", HELP)
    .action((options: Options) => run(() => prove(options)));
}

function suitesOf(text: string, before: readonly string[] = []): readonly string[] {
  const names = text.split(",").map((name) => name.trim());
  if (!names.every((name) => NAMES.includes(name)))
    throw new InvalidArgumentError(`Give one or more of ${NAMES.join(", ")}.`);
  return [...before, ...names];
}

function cyclesOf(text: string): number {
  const cycles = Number(text);
  if (!/^\d+$/.test(text) || cycles < 1 || cycles > MOST_CYCLES)
    throw new InvalidArgumentError(`Give a number from 1 to ${MOST_CYCLES}.`);
  return cycles;
}

function seedOf(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError("Give a whole number, 0 or more.");
  return Number(text);
}

async function prove(options: Options): Promise<number> {
  const output = processOutput(options.json);
  const { seed = randomInt(1_000_000_000) } = options;
  const suites = SUITES.filter(({ name }) => options.only?.includes(name) ?? true);
  using interrupted = interruption(output.closed);
  const { signal } = interrupted;
  // A cycle under way would go on with them for seconds.
  signal.addEventListener("abort", killCommands, { once: true });
  await using scratch = await scratchIn(resolve(options.dir));
  output.note(`Trying to break ${suites.map(({ name }) => name).join(", ")} (seed ${seed}) …`);
  const results: ProofResult[] = [];
  try {
    for (const suite of suites) {
      using progress = startProgress(suite.name, suite.unit);
      const { cycles = suite.cycles } = options;
      const onProgress = (done: number, total: number) => progress.update(done, total);
      const result = await runSuite(suite, { dir: scratch.path, seed, cycles, signal, onProgress });
      progress.clear();
      results.push(result);
      output.value(jsonOf(result));
      output.note(lineOf(result));
    }
  } catch (error) {
    if (interrupted.exitCode === null || error !== signal.reason) throw error;
  }
  showResults(results, output);
  if (interrupted.exitCode !== null) {
    output.note("Interrupted: what was left to try was not tried.");
    return interrupted.exitCode;
  }
  const isBroken = results.some(({ broken }) => broken.length > 0);
  if (!isBroken) output.text(`Nothing broke. The same again: ${commandOf({ ...options, seed })}`);
  return isBroken ? REFUSALS.INTERNAL.exit : 0;
}

interface Scratch extends AsyncDisposable {
  readonly path: string;
}

/** A folder of its own, which goes at the end, but for what was left in it for somebody to look at. */
async function scratchIn(parent: string): Promise<Scratch> {
  const path = await mkdtemp(join(parent, "tierkeep-prove-")).catch((error: unknown) => {
    throw new StartProblem(
      `In ${parent} no folder can be made (${systemCodeOf(error)}). Name another one with --dir.`,
    );
  });
  // A second signal ends the process where it stands.
  const removeNow = () => rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  process.on("exit", removeNow);
  return {
    path,
    async [Symbol.asyncDispose]() {
      process.off("exit", removeNow);
      await rmdir(path).catch(() => {});
    },
  };
}
