import process from "node:process";
import { Command, CommanderError } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { COMMANDS } from "./commands.ts";
import { EXIT_USAGE, exitCodeOf, isExpected } from "./exit-codes.ts";

const EXAMPLES = `
Examples:
  tierkeep serve                          serve ./artifacts at http://127.0.0.1:4000/graphql
  PORT=0 STORAGE_BASE_PATH=/srv/store tierkeep serve
  tierkeep serve --help                   what can be set, and how

Exit codes: 0 done, 1 unexpected, 2 the request is wrong, 3 not there, 4 in conflict with what is there,
5 not allowed, 6 try again later, 7 bytes are damaged, 8 over a limit.
`;

/** Runs the command line and answers with its exit code. */
async function main(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const run = async (work: () => Promise<number>) => {
    exitCode = await work();
  };
  const program = new Command("tierkeep")
    .description("Keeps the files that workflows produce: hot, warm and cold, until their time is up.")
    .version(packageJson.version, "-V, --version")
    .helpCommand(false)
    .exitOverride()
    .addHelpText("after", EXAMPLES);
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    const command = program.command(name).summary(summary).description(summary).exitOverride();
    // Only the command that is asked for is loaded, and then says what it takes.
    if (args.find((arg) => !arg.startsWith("-")) === name) (await load()).configure(command, run);
  }
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

function complain(error: unknown): void {
  if (isExpected(error)) process.stderr.write(`tierkeep: ${error.message}\n`);
  else
    process.stderr.write(
      `tierkeep: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
}

process.exitCode = await main(process.argv.slice(2));
