import { shellWord } from "../output/text.ts";
import type { Completable, Values } from "./command-tree.ts";

/** Returns a completion script for zsh, for `source` or as a file on its fpath. */
export function zshCompletion(all: readonly Completable[]): string {
  const [{ path: name } = { path: "" }] = all;
  const below = all.filter(({ path }) => path !== name).map(({ path }) => shellWord(path));
  const values = all.flatMap(({ path, options }) =>
    options
      .filter(({ value }) => value !== null)
      .map(({ flags, value }) => {
        const cases = flags.map((flag) => shellWord(`${path}:${flag}`)).join(" | ");
        return `    (${cases}) ${offer(value ?? "any")}; return ;;`;
      }),
  );
  const words = all.map(({ path, options, subcommands, argument }) => {
    const flags = options.flatMap((option) => option.flags.map((flag) => described(flag, option.means)));
    const rest =
      subcommands.length > 0
        ? `offered=(${subcommands.map((each) => described(each.name, each.means)).join(" ")}); _describe command offered`
        : offer(argument);
    return `    (${shellWord(path)})
      if [[ $PREFIX == -* ]]; then offered=(${flags.join(" ")}); _describe -o option offered
      else ${rest}
      fi ;;`;
  });
  return `#compdef ${name}
# Completion of ${name} for zsh: source <(${name} completion zsh)
_${name}() {
  local at=${name} i
  local -a offered
  for ((i = 2; i < CURRENT; i++)); do
    case "$at $words[i]" in
      (${below.join(" | ")}) at="$at $words[i]" ;;
    esac
  done
  case "$at:$words[CURRENT-1]" in
${values.join("\n")}
  esac
  case $at in
${words.join("\n")}
  esac
}
if [[ $funcstack[1] == _${name} ]]; then
  _${name} "$@"
else
  compdef _${name} ${name}
fi
`;
}

function offer(values: Values): string {
  if (values === "files") return "_files";
  if (values === "folders") return "_files -/";
  if (values === "any") return ":";
  return `compadd -- ${values.map(shellWord).join(" ")}`;
}

function described(word: string, means: string): string {
  return shellWord(`${word.replaceAll(":", "\\:")}:${means}`);
}
