/** A fenced block of a Markdown file. */
export interface CodeBlock {
  readonly language: string;
  readonly text: string;
  /** Line number of its first line in the file, from 1. */
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

/** Returns the commands of a console block (lines that start with `$ `), each with its output lines. */
export function consoleStepsOf({ text }: CodeBlock): ConsoleStep[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const [command = "", ...output] = step.split("\n");
      return { command, output: output.join("\n") };
    });
}

/**
 * Replaces the parts that differ between runs with placeholders: instants, durations, sequence numbers and
 * hashes.
 */
export function withoutAccidents(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z/g, "INSTANT")
    .replace(/\d+(\.\d+)? (ms|s)\b/g, "DURATION")
    .replace(/"seq":\d+/g, '"seq":N')
    .replace(/\b[0-9a-f]{64}\b/g, "HASH")
    .replace(/[ \t]+/g, " ")
    .trim();
}
