import { Command } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import type { CommandEntry, Run } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { refuseRepeatedOptions } from "./options/repeatable.ts";

const EXAMPLES = `
Examples:
  tierkeep serve                              serve ./artifacts at http://127.0.0.1:4000/graphql
  tierkeep write acme/nightly/report.md FILE  write a file as an artifact
  tierkeep ls acme --older-than 30d           list artifacts older than 30 days
  tierkeep help lifecycle run                 show the help of a command, like tierkeep lifecycle run --help

Exit codes:
${Object.entries(EXIT_CODES)
  .map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`)
  .join("\n")}
`;

/**
 * Returns the command line as a commander program. It throws CommanderError where commander would exit.
 *
 * @param isWanted selects the commands whose files are loaded; the others have a name and a summary only
 */
export async function programOf(run: Run, isWanted: (name: string) => boolean): Promise<Command> {
  const program = new Command("tierkeep")
    .description(
      "Stores the files that workflows produce in hot, warm and cold tiers, until they are purged.",
    )
    .version(packageJson.version, "-v, --version", "print the version")
    .helpCommand(false)
    // An option after a subcommand belongs to it, even if the parent command has an option of that name.
    .enablePositionalOptions()
    .exitOverride()
    // Errors of commander look like errors of a command.
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "tierkeep: ")) })
    .showHelpAfterError("See `tierkeep --help`.")
    .addHelpText("after", EXAMPLES);
  for (const [name, { summary, load }] of Object.entries<CommandEntry>(COMMANDS)) {
    const command = program.command(name).summary(summary).description(summary).helpCommand(false);
    if (!isWanted(name)) continue;
    (await load()).configure(command, run, () => programOf(run, () => true));
    refuseRepeatedOptions(command);
    pointToHelp(command, `tierkeep ${name}`);
  }
  return program;
}

function pointToHelp(command: Command, path: string): void {
  command.showHelpAfterError(`See \`${path} --help\`.`);
  for (const each of command.commands) pointToHelp(each, `${path} ${each.name()}`);
}
