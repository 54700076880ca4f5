import type { Completable, Values } from "./command-tree.ts";

/** Returns a completion script for fish. */
export function fishCompletion(all: readonly Completable[]): string {
  const [{ path: name } = { path: "" }] = all;
  const below = all.filter(({ path }) => path !== name).map(({ path }) => fishQuoted(path));
  const lines = all.flatMap(({ path, options, subcommands, argument }) => {
    const at = `complete -c ${name} -n ${fishQuoted(`__${name}_at ${path}`)}`;
    return [
      ...subcommands.map((each) => `${at} -a ${each.name} -d ${fishQuoted(each.means)}`),
      ...options.map(({ flags, means, value }) => {
        const named = flags.map((flag) =>
          flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
        );
        return `${at} ${named.join(" ")}${value === null ? "" : takes(value, "-r")} -d ${fishQuoted(means)}`;
      }),
      ...(subcommands.length > 0 || argument === "any" ? [] : [`${at}${takes(argument, "")}`]),
    ];
  });
  return `# Completion of ${name} for fish: ${name} completion fish | source
function __${name}_at
    set -l at ${name}
    for word in (commandline -opc)[2..-1]
        switch "$at $word"
            case ${below.join(" ")}
                set at "$at $word"
        end
    end
    test "$at" = "$argv"
end
complete -c ${name} -f
${lines.join("\n")}
`;
}

function takes(values: Values, required: string): string {
  const flag = required === "" ? "" : ` ${required}`;
  if (values === "files") return `${flag} -F`;
  if (values === "folders") return `${flag} -f -a '(__fish_complete_directories)'`;
  if (values === "any") return `${flag} -f`;
  return `${flag} -f -a ${fishQuoted(values.join(" "))}`;
}

function fishQuoted(text: string): string {
  return `'${text.replace(/['\\]/g, "\\$&")}'`;
}
