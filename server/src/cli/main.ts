import process from "node:process";
import { CommanderError } from "commander";
import { commandHint } from "./command-hints.ts";
import { COMMANDS } from "./commands.ts";
import { EXIT_USAGE, exitCodeOf, isExpected, isRefusal } from "./exit-codes.ts";
import { localProblem } from "./local-file.ts";
import { inCommandWords } from "./output/error-text.ts";
import { visibleLines } from "./output/text.ts";
import { programOf } from "./program.ts";

// Output that stderr does not accept is dropped and does not end the command.
process.stderr.on("error", () => {});
let stdoutProblem: NodeJS.ErrnoException | null = null;
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // A reader such as `head` may close the pipe early. Output.closed tells a command about it.
  if (error.code !== "EPIPE") stdoutProblem ??= error;
});

/** Runs the command line and returns its exit code. */
async function main(words: readonly string[]): Promise<number> {
  let exitCode = 0;
  const run = async (work: () => Promise<number>) => {
    exitCode = await work();
  };
  const args = argumentsOf(words);
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
    // commander throws for --help and --version too, with exit code 0. It has printed the text already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    printError(error);
    return exitCodeOf(error);
  }
}

/**
 * Returns the arguments for commander. `help X` becomes `X --help`; `version` and `-V` become `--version`. Of an unknown
 * command only the name is kept, so that the error is about it and not about its options.
 */
function argumentsOf(words: readonly string[]): readonly string[] {
  const [first, ...rest] = words;
  const args = first === "help" ? [...rest, "--help"] : words;
  const name = commandOf(args);
  if (name === "version" || first === "-V") return ["--version"];
  return name === undefined || Object.hasOwn(COMMANDS, name) ? args : [name];
}

function commandOf(args: readonly string[]): string | undefined {
  return args.find((arg) => !arg.startsWith("-"));
}

function printError(error: unknown): void {
  process.stderr.write(`tierkeep: ${visibleLines(messageOf(error), "escape")}\n`);
}

function messageOf(error: unknown): string {
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
  printError(localProblem(stdoutProblem, "stdout"));
  process.exitCode = exitCodeOf(localProblem(stdoutProblem, "stdout"));
});
// A command that a signal ended does not wait until its output has been read.
if (process.exitCode > 128) process.exit();
