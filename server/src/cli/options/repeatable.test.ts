import type { EventEmitter } from "node:events";
import type { Command, Option } from "commander";
import { describe, expect, it } from "vitest";
import { programOf } from "../program.ts";

/** Two valid values for each kind of option. */
const VALUES = [
  ["hot", "cold"],
  ["weekly", "nightly"],
  ["7", "8"],
  ["7d", "8d"],
  ["7m", "8m"],
  ["author=Ada", "rows=42"],
  ["a".repeat(64), "b".repeat(64)],
  [`7:${"a".repeat(64)}`, `8:${"a".repeat(64)}`],
  ["http://127.0.0.1:1/graphql", "http://127.0.0.1:2/graphql"],
  ["key", "size"],
  ["writer", "reader"],
  ["purge", "promote_to_warm"],
  ["artifact_written", "artifact_purged"],
  ["tamper", "crash"],
  ["restore", "reindex"],
  ["running", "failed"],
] as const;

const REPEATABLE = [
  "tierkeep ls --tier",
  "tierkeep stats --tier",
  "tierkeep events --type",
  "tierkeep jobs --kind",
  "tierkeep jobs --status",
  "tierkeep lifecycle run --step",
  "tierkeep keys create --tenant",
  "tierkeep prove --only",
];

const isMetadata = (path: string) => path.endsWith(" --meta");

async function optionsWithValues(): Promise<readonly (readonly [string, Command, Option])[]> {
  const program = await programOf(
    async () => {},
    () => true,
  );
  program.configureOutput({ writeErr: () => {} });
  const walk = (command: Command, path: string): (readonly [string, Command, Option])[] => [
    ...command.options
      .filter((option) => !option.isBoolean() && !option.hidden)
      .map((option) => [`${path} ${option.long}`, command, option] as const),
    ...command.commands.flatMap((each) => walk(each, `${path} ${each.name()}`)),
  ];
  for (const each of program.commands) silence(each);
  return walk(program, "tierkeep");
}

function silence(command: Command): void {
  command.configureOutput({ writeErr: () => {} });
  command.commands.forEach(silence);
}

/** Gives an option two valid values, as the command line does. */
function giveTwice(path: string, command: Command, option: Option): unknown {
  // commander does not declare that a Command is an EventEmitter.
  const events = command as unknown as EventEmitter;
  const event = `option:${option.name()}`;
  for (const [first, second] of VALUES) {
    try {
      events.emit(event, first);
    } catch {
      continue;
    }
    events.emit(event, second);
    return command.getOptionValue(option.attributeName());
  }
  throw new Error(`VALUES has none that ${path} accepts.`);
}

describe("an option that is given twice", async () => {
  const all = await optionsWithValues();

  it.each(all)("%s keeps both values or is rejected", (path, command, option) => {
    if (REPEATABLE.includes(path)) {
      expect(giveTwice(path, command, option)).toHaveLength(2);
    } else if (isMetadata(path)) {
      expect(giveTwice(path, command, option)).toEqual(
        new Map([
          ["author", "Ada"],
          ["rows", "42"],
        ]),
      );
    } else {
      expect(() => giveTwice(path, command, option)).toThrow(/is given twice\. Give it once\.$/);
    }
  });
});
