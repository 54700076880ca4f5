import process from "node:process";
import { Refused } from "@tierkeep/schema/domain/refusals";

/** Where questions are asked and answered. stdout is not part of it: it may go into a file. */
export const DIALOGUE = { input: process.stdin, output: process.stderr };

/** Whether somebody sits there who could answer. */
export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/**
 * To be called before anything is opened.
 *
 * @throws Refused BAD_USER_INPUT where nobody can be asked and --yes was not given
 */
export function requireConfirmable(yes: boolean): void {
  if (yes || isInteractive()) return;
  throw new Refused(
    "BAD_USER_INPUT",
    "This cannot be undone, and there is no terminal to ask at. Add --yes to do it all the same, or --dry-run to see what it would do.",
  );
}

/** Asks a question that only a clear yes answers. @throws AbortError when it is interrupted instead of answered */
export async function confirmed(question: string, signal: AbortSignal): Promise<boolean> {
  const { confirm } = await import("@clack/prompts");
  return answered(await confirm({ message: question, initialValue: false, signal, ...DIALOGUE }), signal);
}

/** An answer to a question of clack's, which answers with a symbol where Ctrl-C or the signal ended it. */
export function answered<Answer>(answer: Answer, signal: AbortSignal): Exclude<Answer, symbol> {
  if (typeof answer !== "symbol") return answer as Exclude<Answer, symbol>;
  // While it asks, a terminal makes no signal of Ctrl-C. Here it becomes one again, and ends what any other would.
  if (!signal.aborted) process.emit("SIGINT", "SIGINT");
  throw signal.reason;
}
