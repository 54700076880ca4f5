import process from "node:process";
import { CommanderError } from "commander";
import { commandHint } from "./command-hints.ts";
import { COMMANDS } from "./commands.ts";
import { EXIT_USAGE, exitCodeOf, isExpected, isRefusal } from "./exit-codes.ts";
import { localProblem } from "./local-file.ts";
import { inCommandWords } from "./output/error-text.ts";
import { visibleLines } from "./output/text.ts";
import { programOf } from "./program.ts";

// What stderr does not take is lost, and ends nothing.
process.stderr.on("error", () => {});
let stdoutProblem: NodeJS.ErrnoException | null = null;
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // A reader such as `head` may leave early. A command may ask its output whether it is still read.
  if (error.code !== "EPIPE") stdoutProblem ??= error;
});

/** Runs the command line and answers with its exit code. */
async function main(asked: readonly string[]): Promise<number> {
  let exitCode = 0;
  const run = async (work: () => Promise<number>) => {
    exitCode = await work();
  };
  const args = argumentsOf(asked);
  const hint = commandHint(commandOf(args) ?? "");
  if (hint !== undefined) {
    process.stderr.write(`tierkeep: there is no command '${commandOf(args)}'. ${hint}\n`);
    return EXIT_USAGE;
  }
  const program = await programOf(run, (name) => name === commandOf(args));
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    // Help and version come this way too, with 0. commander has printed what there is to say.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    complain(error);
    return exitCodeOf(error);
  }
}

/**
 * The arguments as commander takes them. `help X` means `X --help`; `version` and `-V` mean `--version`. The name of an
 * unknown command is kept alone: it is the mistake, whatever else was asked.
 */
function argumentsOf(asked: readonly string[]): readonly string[] {
  const [first, ...rest] = asked;
  const args = first === "help" ? [...rest, "--help"] : asked;
  const name = commandOf(args);
  if (name === "version" || first === "-V") return ["--version"];
  return name === undefined || Object.hasOwn(COMMANDS, name) ? args : [name];
}

function commandOf(args: readonly string[]): string | undefined {
  return args.find((arg) => !arg.startsWith("-"));
}

function complain(error: unknown): void {
  process.stderr.write(`tierkeep: ${visibleLines(complaintOf(error), "escape")}\n`);
}

function complaintOf(error: unknown): string {
  if (isRefusal(error)) {
    const { requestId } = error;
    const words = inCommandWords(error.message);
    return error.code === "INTERNAL" && requestId !== undefined
      ? `${words} Request id: ${requestId}.`
      : words;
  }
  if (isExpected(error)) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

process.exitCode = await main(process.argv.slice(2));
process.on("exit", () => {
  if (stdoutProblem === null || process.exitCode !== 0) return;
  complain(localProblem(stdoutProblem, "stdout"));
  process.exitCode = exitCodeOf(localProblem(stdoutProblem, "stdout"));
});
// Where a signal ended it, nobody is waited for who might yet read what it had written.
if (process.exitCode > 128) process.exit();
