import { REFUSALS } from "@tierkeep/schema/domain/refusals";
import type { Command, Option } from "commander";
import { SETTINGS } from "../../config/settings.ts";
import { EXIT_CODES } from "../exit-codes.ts";
import { afterHelpOf, type HelpBlock } from "./after-help.ts";
import { prose, table, wrapped } from "./markdown.ts";

const INTRODUCTION = `# Command line

<!-- Generated from the commands in server/src/cli by \`npm run codegen\`. Do not edit. -->

\`tierkeep COMMAND --help\` prints the same text. In a clone, \`tierkeep\` is \`npm run -s tierkeep --\`.

- **Store.** A command works on the store that \`STORAGE_BASE_PATH\` names. If a server owns the store, the command is a client
  of that server; otherwise it opens the store itself. \`--url\` or \`TIERKEEP_URL\` names another server.
- **Credentials.** Commands on the store's own machine need none. For a server that is named by a URL, set \`TIERKEEP_TOKEN\`
  to a bearer token.
- **KEY** is \`tenant/workflow/artifact\`, such as \`acme/nightly/plots/2026/sales.svg\`, or \`--tenant\`, \`--workflow\` and \`--artifact\`.
- **Output.** Data goes to stdout, messages go to stderr. With \`--json\`, stdout is one JSON document, or one line for each row
  of a list. At a terminal, tables fit its width: long keys are shortened and less important columns are left out.
- **Options** with a value may be given once, unless their help says "repeatable".
- **Ctrl-C** stops a command cleanly, with exit code 130.
- **Proxies.** \`HTTPS_PROXY\` and similar variables apply when \`NODE_USE_ENV_PROXY=1\` is set.
`;

/** An option of this many commands is documented once, and only named in their sections. */
const COMMON_FROM = 10;

/**
 * Returns docs/cli.md.
 *
 * @param program the command line, with every command loaded
 */
export function commandsPage(program: Command): string {
  const commands = [...program.commands];
  const common = commonOptions(commands.flatMap((command) => [...withSubcommands(command)]));
  return [
    INTRODUCTION,
    exitCodes(),
    `## Commands\n\n${table(["command", "purpose"], commands.map(contentsRow))}\n`,
    `## Common options\n\n${table(["option", "meaning"], common.map(optionRow))}\n`,
    ...commands.flatMap((command) => sections(command, "tierkeep", 2, common)),
  ].join("\n");
}

function exitCodes(): string {
  const rows = Object.entries(EXIT_CODES).map(([code, meaning]) => {
    const refusals = Object.entries(REFUSALS).filter(
      ([, { exit, raised }]) => raised && exit === Number(code),
    );
    return [code, meaning, refusals.map(([name]) => `\`${name}\``).join(", ")];
  });
  const note = "Some commands give these codes a more specific meaning, which their section describes.";
  return `## Exit codes\n\n${table(["code", "meaning", "error codes of the API"], rows)}\n\n${note}\n`;
}

function contentsRow(command: Command): string[] {
  return [`[\`${command.name()}\`](#tierkeep-${command.name()})`, prose(command.summary())];
}

function sections(command: Command, parent: string, level: number, common: readonly Option[]): string[] {
  const path = `${parent} ${command.name()}`;
  const subcommands = command.commands.flatMap((each) => sections(each, path, level + 1, common));
  return [section(command, path, level, common), ...subcommands];
}

function section(command: Command, path: string, level: number, common: readonly Option[]): string {
  const rows = command.registeredArguments.map((argument) => [
    `\`${argument.name()}\``,
    prose(command.createHelp().argumentDescription(argument)),
  ]);
  const options = command.options.filter(({ hidden }) => !hidden);
  const own = options.filter((option) => !common.some((each) => isSame(each, option)));
  const shared = options.filter((option) => common.some((each) => isSame(each, option)));
  const parts = [
    `${"#".repeat(level)} ${path}`,
    wrapped(prose(command.description())),
    `\`\`\`text\n${path} ${command.usage()}\n\`\`\``,
  ];
  if (rows.length + own.length > 0)
    parts.push(table(["option", "meaning"], [...rows, ...own.map(optionRow)]));
  if (shared.length > 0) {
    const names = shared.map((option) => `\`${option.flags}\``).join(", ");
    parts.push(`Also the [common options](#common-options) ${names}.`);
  }
  return `${[...parts, ...markdownOf(afterHelpOf(command))].join("\n\n")}\n`;
}

function optionRow(option: Option): string[] {
  // Where an option states its default in words, commander does not repeat the value.
  const facts = [];
  if (option.argChoices !== undefined) facts.push(option.argChoices.map((each) => `\`${each}\``).join(", "));
  if (option.defaultValue !== undefined && !option.isBoolean())
    facts.push(`default: \`${option.defaultValue}\``);
  if (option.mandatory) facts.push("required");
  return [
    `\`${option.flags}\``,
    prose(option.description) + (facts.length > 0 ? ` (${facts.join("; ")})` : ""),
  ];
}

function markdownOf(blocks: readonly HelpBlock[]): string[] {
  const isOfSettings = (block: HelpBlock) => block.kind === "list" && block.items.some(isSetting);
  const first = blocks.findIndex(isOfSettings);
  return blocks.flatMap((block, at) => {
    if (isOfSettings(block))
      return at === first ? ["Environment variables [configure the server](configuration.md)."] : [];
    if (block.kind === "paragraph" && at === first - 1) return [];
    if (block.kind === "examples") return `\`\`\`sh\n${block.text}\n\`\`\``;
    if (block.kind === "paragraph") return wrapped(prose(block.text));
    return `${wrapped(prose(block.lead))}\n\n${block.items.map((item) => `- ${prose(item)}`).join("\n")}`;
  });
}

function isSetting(line: string): boolean {
  return Object.hasOwn(SETTINGS, /^\w+/.exec(line)?.[0] ?? "");
}

function* withSubcommands(command: Command): Generator<Command> {
  yield command;
  for (const each of command.commands) yield* withSubcommands(each);
}

function commonOptions(commands: readonly Command[]): readonly Option[] {
  const all = commands.flatMap(({ options }) => options);
  const isFirst = (option: Option, at: number) => all.findIndex((each) => isSame(each, option)) === at;
  return all
    .filter(isFirst)
    .filter((option) => all.filter((each) => isSame(each, option)).length >= COMMON_FROM);
}

function isSame(a: Option, b: Option): boolean {
  return a.flags === b.flags && a.description === b.description;
}
