import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { programOf } from "./program.ts";

function* withSubcommands(command: Command, path: string): Generator<readonly [string, Command]> {
  for (const each of command.commands) {
    yield [`${path} ${each.name()}`, each];
    yield* withSubcommands(each, `${path} ${each.name()}`);
  }
}

describe("the help of every command", async () => {
  const program = await programOf(
    async () => {},
    () => true,
  );

  it.each([...withSubcommands(program, "tierkeep")])("%s has its usage and an example", (path, command) => {
    let help = "";
    command.configureOutput({
      writeOut: (part) => {
        help += part;
      },
    });
    command.outputHelp();
    expect(help).toMatch(new RegExp(`^Usage: ${path} `));
    expect(help).toMatch(/\nExamples?:\n {2}/);
  });
});
