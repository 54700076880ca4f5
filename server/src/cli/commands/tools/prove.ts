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
The command works in a new folder, which it deletes at the end, and never in your stores. All suites together take three
minutes on two idle cores. Each needs at most 200 MB of disk. A suite stops at the first failure. It then keeps its part
of the folder and prints the command that repeats the failure.

Suites, each with its default number of attempts and the guarantee that it tests:
${SUITES.map(({ name, cycles, unit, claim }) => `  ${name} (${cycles} ${unit}): ${claim}`).join("\n")}

The same seed repeats the same attempts. crash and backup also depend on timing: with the same seed they do nearly the
same, so repeat them several times if necessary.

Exit codes: 0 all guarantees held, 1 a guarantee was broken, 2 invalid request, 130 interrupted.

Examples:
  tierkeep prove
  tierkeep prove --only crash --cycles 1000
  tierkeep prove --only crash,tamper --seed 42 --dir /mnt/new-disk
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Tests Tierkeep's guarantees on this machine and its disk by trying to break them.")
    .addOption(
      collecting(
        new Option("--only <suites>", "only these suites, separated by commas; repeatable").choices(NAMES),
        suitesOf,
      ),
    )
    .option("--cycles <n>", "number of attempts of each suite (default: as below)", cyclesOf)
    .option("--seed <n>", "seed of the random numbers (default: a new one, which is shown)", seedOf)
    .option("--dir <folder>", "parent of the new folder, on the disk to test", ".")
    .option("--json", "write JSON to stdout, a line for each suite")
    .addHelpText("after", HELP)
    .action((options: Options) => run(() => prove(options)));
}

function suitesOf(text: string, previous: readonly string[] = []): readonly string[] {
  const names = text.split(",").map((name) => name.trim());
  if (!names.every((name) => NAMES.includes(name)))
    throw new InvalidArgumentError(`Give one or more of ${NAMES.join(", ")}.`);
  return [...previous, ...names];
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
  // Without this, a cycle in progress would continue for seconds.
  signal.addEventListener("abort", killCommands, { once: true });
  await using scratch = await scratchIn(resolve(options.dir));
  output.note(`Testing ${suites.map(({ name }) => name).join(", ")} (seed ${seed}) …`);
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
    output.note("Interrupted: the remaining attempts were not made.");
    return interrupted.exitCode;
  }
  const isBroken = results.some(({ broken }) => broken.length > 0);
  if (!isBroken) output.text(`All guarantees held. To repeat: ${commandOf({ ...options, seed })}`);
  return isBroken ? REFUSALS.INTERNAL.exit : 0;
}

interface Scratch extends AsyncDisposable {
  readonly path: string;
}

/** Creates a folder that is deleted at the end, unless a suite keeps files in it. @throws StartProblem */
async function scratchIn(parent: string): Promise<Scratch> {
  const path = await mkdtemp(join(parent, "tierkeep-prove-")).catch((error: unknown) => {
    throw new StartProblem(
      `No folder can be created in ${parent} (${systemCodeOf(error)}). Name another folder with --dir.`,
    );
  });
  // A second signal ends the process without disposal.
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
