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

export function configure(command: Command, run: Run): void {
  command
    .description("Prints a script that completes commands, options and their values when Tab is pressed.")
    .addArgument(new Argument("<shell>", "which shell").choices(Object.keys(SHELLS)))
    .addHelpText("after", HELP)
    .action((shell: Shell) => run(() => completion(shell)));
}

async function completion(shell: Shell): Promise<number> {
  // Here and not above: the program loads this file to know the command.
  const { programOf } = await import("../program.ts");
  const program = await programOf(
    async () => {},
    () => true,
  );
  process.stdout.write(SHELLS[shell](completablesOf(program)));
  return 0;
}
