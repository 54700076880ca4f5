import { TIERS } from "@tierkeep/schema/domain/tiers";
import type { Argument, Command, Option } from "commander";

/** Possible values of an option or argument: fixed words, files, folders, or anything. */
export type Values = readonly string[] | "files" | "folders" | "any";

export interface Completable {
  /** The command with its parents, such as "tierkeep lifecycle run". */
  readonly path: string;
  readonly subcommands: readonly { readonly name: string; readonly means: string }[];
  readonly options: readonly CompletableOption[];
  /** Possible values of its arguments, all together. */
  readonly argument: Values;
}

export interface CompletableOption {
  /** "--tier", "-o". */
  readonly flags: readonly string[];
  readonly means: string;
  /** Null: the option has no value. */
  readonly value: Values | null;
}

/** Returns every command of a program, the program itself first, with what may follow it. */
export function completablesOf(program: Command): readonly Completable[] {
  const [top, ...commands] = walk(program, program.name());
  if (top === undefined) return [];
  const { path, subcommands } = top;
  const help = { name: "help", means: "show the help of a command" };
  return [
    { ...top, subcommands: [...subcommands, help] },
    ...commands,
    { path: `${path} ${help.name}`, subcommands, options: [], argument: "any" },
  ];
}

function* walk(command: Command, path: string): Generator<Completable> {
  const help = command.createHelp();
  const subcommands = help.visibleCommands(command);
  yield {
    path,
    subcommands: subcommands.map((each) => ({ name: each.name(), means: help.subcommandDescription(each) })),
    options: help.visibleOptions(command).map((option) => ({
      flags: [option.long, option.short].filter((flag) => flag !== undefined && flag !== null),
      means: option.description,
      value: option.required || option.optional ? valuesOf(option, option.attributeName()) : null,
    })),
    argument: argumentValues(command.registeredArguments),
  };
  for (const each of subcommands) yield* walk(each, `${path} ${each.name()}`);
}

function argumentValues(all: readonly Argument[]): Values {
  const values = all.map((argument) => valuesOf(argument, argument.name()));
  return values.find((each) => each !== "any") ?? "any";
}

function valuesOf({ argChoices }: Pick<Option | Argument, "argChoices">, name: string): Values {
  if (argChoices !== undefined) return argChoices;
  if (/tier$/i.test(name)) return TIERS.map((tier) => tier.toLowerCase());
  if (/^(dir|folder|tree)/i.test(name)) return "folders";
  if (/^(file|out|variables)/i.test(name)) return "files";
  return "any";
}
