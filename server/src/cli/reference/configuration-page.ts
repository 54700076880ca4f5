import type { Setting } from "../../config/setting.ts";
import { SETTING_GROUPS, UNIMPLEMENTED_SETTINGS } from "../../config/settings.ts";
import { prose, table, wrapped } from "./markdown.ts";

const INTRODUCTION = `# Configuration

<!-- Generated from server/src/config/settings.ts by \`npm run codegen\`. Do not edit. -->

Environment variables configure \`tierkeep serve\`. An empty variable counts as unset. The server refuses to start with an
invalid value: it prints one line that names every invalid variable, and exits with code 2. \`tierkeep serve --help\` prints
the same settings.

Settings marked with ¹ are stored with the store. At each start, \`serve\` stores those of them that are set in its environment.
For the others, it uses the stored values. The defaults of these settings apply only when a store is created. Other commands
use the stored values and reject an environment that contradicts them. [Settings of a store](settings.md) explains this, and
what happens when \`COLD_RETENTION_DAYS\` is shortened.
`;

/** Returns docs/configuration.md. */
export function configurationPage(): string {
  const groups = SETTING_GROUPS.map(
    ({ title, settings }) =>
      `\n## ${title}\n\n${table(["setting", "default", "meaning", "values"], Object.entries(settings).map(row))}\n`,
  );
  return `${INTRODUCTION}${groups.join("")}\n${unimplemented()}\n`;
}

function row([name, { shownDefault, description, accepts, belongsTo }]: [
  string,
  Setting<unknown>,
]): string[] {
  return [`\`${name}\`${belongsTo === "store" ? "¹" : ""}`, shownDefault, prose(description), prose(accepts)];
}

function unimplemented(): string {
  const names = Object.keys(UNIMPLEMENTED_SETTINGS).map((name) => `\`${name}\``);
  return `## Not implemented\n\n${wrapped(`These variables are reserved for a later version: ${names.join(", ")}. The server refuses to start when one of them is set.`)}`;
}
