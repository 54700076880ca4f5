import type { Command } from "commander";

/** A part of the text that a command's help prints after its options. */
export type HelpBlock =
  | { readonly kind: "paragraph"; readonly text: string }
  | { readonly kind: "list"; readonly lead: string; readonly items: readonly string[] }
  | { readonly kind: "examples"; readonly text: string };

/** Returns the text that was added to the command's help by `addHelpText("after", …)`, in blocks. */
export function afterHelpOf(command: Command): readonly HelpBlock[] {
  let help = "";
  const output = command.configureOutput();
  command.configureOutput({
    writeOut: (part) => {
      help += part;
    },
  });
  command.outputHelp();
  command.configureOutput(output);
  return help
    .slice(command.helpInformation().length)
    .trim()
    .split(/\n\s*\n/)
    .filter((block) => block !== "")
    .map(blockOf);
}

function blockOf(text: string): HelpBlock {
  const [first = "", ...rest] = text.split("\n");
  if (/^Examples?:$/.test(first)) {
    return { kind: "examples", text: rest.map(exampleOf).join("\n") };
  }
  const indented = rest.findIndex((line) => line.startsWith("  "));
  if (indented === -1) return { kind: "paragraph", text };
  return {
    kind: "list",
    lead: [first, ...rest.slice(0, indented)].join(" "),
    items: rest.slice(indented).map((line) => line.trim()),
  };
}

/** Returns an example's line, with the explanation beside it as a comment. */
function exampleOf(line: string): string {
  return line.trim().replace(/( {2,})(?=\S)/, "$1# ");
}
