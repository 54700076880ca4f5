import type { ProofResult } from "../../../../prove/run-suite.ts";
import type { Output } from "../../output/output.ts";
import { counted, formatDuration } from "../../output/quantity.ts";
import type { Column } from "../../output/table.ts";

const COLUMNS: readonly Column[] = [
  { head: "suite" },
  { head: "attempts", narrow: "stay" },
  { head: "failures", narrow: "stay" },
  { head: "counts" },
];

/** Number of failures of one suite that are shown; --json has all. */
const MOST_SENTENCES = 10;

/** Returns the command that repeats these attempts. */
export function commandOf({
  only,
  cycles,
  seed,
}: {
  readonly only?: readonly string[] | undefined;
  readonly cycles?: number | undefined;
  readonly seed: number;
}): string {
  return [
    "tierkeep prove",
    ...(only === undefined ? [] : [`--only ${only.join(",")}`]),
    ...(cycles === undefined ? [] : [`--cycles ${cycles}`]),
    `--seed ${seed}`,
  ].join(" ");
}

export function jsonOf(result: ProofResult): unknown {
  return { ...result, replay: replayOf(result) };
}

/** Returns a line about a suite that has just ended. */
export function lineOf({ suite, tried, unit, broken, seconds }: ProofResult): string {
  const what = broken.length === 0 ? "passed" : "failed";
  return `${suite}: ${shownTried(tried, unit)} in ${formatDuration(seconds)}, ${what}`;
}

/** Shows all results as a table, then each failed suite with its failures, its folder and the command to repeat them. */
export function showResults(results: readonly ProofResult[], { table, text, style }: Output): void {
  if (results.length === 0) return;
  table(
    COLUMNS,
    results.map(({ suite, tried, unit, figures, broken }) => [
      suite,
      shownTried(tried, unit),
      broken.length === 0
        ? { text: "none", style: style.green }
        : { text: String(broken.length), style: style.red },
      Object.entries(figures)
        .map(([what, count]) => `${count} ${what}`)
        .join(", "),
    ]),
  );
  for (const result of results.filter(({ broken }) => broken.length > 0)) {
    const { suite, broken, folder } = result;
    text("");
    text(style.red(`${suite} failed:`));
    for (const sentence of broken.slice(0, MOST_SENTENCES)) text(`  ${sentence.replaceAll("\n", "\n  ")}`);
    if (broken.length > MOST_SENTENCES)
      text(`  and ${broken.length - MOST_SENTENCES} more; --json has them all`);
    if (folder !== null) text(`Its files: ${folder}`);
    text(`Please report this, with these lines. To repeat: ${replayOf(result)}`);
  }
}

function shownTried(tried: number, unit: string): string {
  return counted(tried, unit.replace(/s$/, ""));
}

function replayOf({ suite, replay }: ProofResult): string {
  return commandOf({ only: [suite], ...replay });
}
