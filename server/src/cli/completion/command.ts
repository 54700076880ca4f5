import process from "node:process";
import { Argument, type Command } from "commander";
import type { Run } from "../command.ts";
import { bashCompletion } from "./bash.ts";
import { completablesOf } from "./command-tree.ts";
import { fishCompletion } from "./fish.ts";
import { zshCompletion } from "./zsh.ts";

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

type Shell = keyof typeof SHELLS;

const HELP = `
Examples:
  source <(tierkeep completion bash)        in ~/.bashrc
  source <(tierkeep completion zsh)         in ~/.zshrc, after compinit
  tierkeep completion fish | source         in ~/.config/fish/config.fish
`;

export function configure(command: Command, run: Run, everyCommand: () => Promise<Command>): void {
  command
    .description("Prints a script that completes commands, options and their values when Tab is pressed.")
    .addArgument(new Argument("<shell>", "the shell").choices(Object.keys(SHELLS)))
    .addHelpText("after", HELP)
    .action((shell: Shell) => run(() => completion(shell, everyCommand)));
}

async function completion(shell: Shell, everyCommand: () => Promise<Command>): Promise<number> {
  process.stdout.write(SHELLS[shell](completablesOf(await everyCommand())));
  return 0;
}
