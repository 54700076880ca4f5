import { shellWord } from "../output/text.ts";
import type { Completable, Values } from "./command-tree.ts";

/** Returns a completion script for bash. It does not run the command when Tab is pressed. */
export function bashCompletion(all: readonly Completable[]): string {
  const [{ path: name } = { path: "" }] = all;
  const below = all.filter(({ path }) => path !== name).map(({ path }) => `"${path}"`);
  const values = all.flatMap(({ path, options }) =>
    options
      .filter(({ value }) => value !== null)
      .map(({ flags, value }) => {
        const cases = flags.map((flag) => `"${path}:${flag}"`).join(" | ");
        return `    ${cases}) ${reply(value ?? "any")}; return ;;`;
      }),
  );
  const words = all.map(({ path, options, subcommands, argument }) => {
    const flags = options.flatMap((option) => option.flags);
    const rest = subcommands.length > 0 ? reply(subcommands.map((each) => each.name)) : reply(argument);
    return `    "${path}") if [[ $cur == -* ]]; then ${reply(flags)}; else ${rest}; fi ;;`;
  });
  return `# Completion of ${name} for bash: source <(${name} completion bash)
_${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} at=${name} i
  # bash splits --option=value into three words.
  if [[ $cur == = ]]; then
    cur=
  elif [[ $prev == = ]]; then
    prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
    ${below.join(" | ")}) at="$at \${COMP_WORDS[i]}" ;;
    esac
  done
  COMPREPLY=()
  case "$at:$prev" in
${values.join("\n")}
  esac
  case $at in
${words.join("\n")}
  esac
}
complete -F _${name} ${name}
`;
}

function reply(values: Values): string {
  if (values === "files") return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur")';
  if (values === "folders") return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$cur")';
  if (values === "any") return ":";
  return `mapfile -t COMPREPLY < <(compgen -W ${shellWord(values.join(" "))} -- "$cur")`;
}
