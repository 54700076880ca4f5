import { type Command, Option } from "commander";

const REPEATABLE = new WeakSet<Option>();

/**
 * Returns an option that may be given several times. Its value is the list of the distinct values given.
 *
 * @param parse parses one value and throws commander's InvalidArgumentError for an invalid one
 * @param choices the accepted values, for help and completion
 */
export function repeatableOption<Value>(
  flags: string,
  description: string,
  parse: (text: string) => Value,
  choices?: readonly string[],
): Option {
  const option = new Option(flags, `${description}; repeatable`);
  if (choices !== undefined) option.choices(choices);
  return collecting(option, (text, before: readonly Value[] = []) => {
    const value = parse(text);
    return before.includes(value) ? before : [...before, value];
  });
}

/** Makes `option` repeatable. `collect` returns the option's new value from one text and the previous value. */
export function collecting<Value>(
  option: Option,
  collect: (text: string, previous: Value | undefined) => Value,
): Option {
  REPEATABLE.add(option);
  return option.argParser(collect);
}

/**
 * Makes the command and its subcommands reject an option that is given twice: commander would silently use the last
 * value. Repeatable options and options without a value may be given any number of times.
 */
export function refuseRepeatedOptions(command: Command): void {
  for (const option of command.options) {
    if (option.isBoolean() || REPEATABLE.has(option)) continue;
    let given = false;
    command.on(`option:${option.name()}`, () => {
      if (given) command.error(`error: option '${option.flags}' is given twice. Give it once.`);
      given = true;
    });
  }
  for (const each of command.commands) refuseRepeatedOptions(each);
}
