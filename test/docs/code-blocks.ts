/** A fenced block of a Markdown file. */
export interface CodeBlock {
  readonly language: string;
  readonly text: string;
  /** Of its first line within the file, from 1. */
  readonly line: number;
}

export function codeBlocksOf(markdown: string): CodeBlock[] {
  return [...markdown.matchAll(/^```(\S*)\n([\s\S]*?)^```$/gm)].map(
    ([, language = "", text = ""], at, all) => ({
      language,
      text,
      line: markdown.slice(0, all[at]?.index).split("\n").length + 1,
    }),
  );
}

export interface ConsoleStep {
  readonly command: string;
  readonly output: string;
}

/** The commands of a console block (lines that begin with `$ `), each with the lines that follow it. */
export function consoleStepsOf({ text }: CodeBlock): ConsoleStep[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const [command = "", ...output] = step.split("\n");
      return { command, output: output.join("\n") };
    });
}

/** What differs from run to run: instants, durations, sequence numbers and hashes, each replaced by a word for it. */
export function withoutAccidents(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z/g, "INSTANT")
    .replace(/\d+(\.\d+)? (ms|s)\b/g, "DURATION")
    .replace(/"seq":\d+/g, '"seq":N')
    .replace(/\b[0-9a-f]{64}\b/g, "HASH")
    .replace(/[ \t]+/g, " ")
    .trim();
}
