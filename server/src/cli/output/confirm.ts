import process from "node:process";
import { Refused } from "@tierkeep/schema/domain/refusals";

/** Streams for questions and answers. Not stdout, which may be redirected to a file. */
export const DIALOGUE = { input: process.stdin, output: process.stderr };

/** Returns whether questions can be asked: stdin and stderr are a terminal. */
export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/**
 * Call this before opening a store.
 *
 * @throws Refused BAD_USER_INPUT if no question can be asked and `yes` is false
 */
export function requireConfirmable(yes: boolean): void {
  if (yes || isInteractive()) return;
  throw new Refused(
    "BAD_USER_INPUT",
    "This cannot be undone, and there is no terminal to ask for confirmation. Add --yes to do it, or --dry-run to see what it would do.",
  );
}

/** Asks a question whose default is no. Returns whether the answer is yes. @throws AbortError if interrupted */
export async function confirmed(question: string, signal: AbortSignal): Promise<boolean> {
  const { confirm } = await import("@clack/prompts");
  return answered(await confirm({ message: question, initialValue: false, signal, ...DIALOGUE }), signal);
}

/** Returns the answer to a prompt of clack. clack returns a symbol if Ctrl-C or the signal ended the prompt. @throws AbortError */
export function answered<Answer>(answer: Answer, signal: AbortSignal): Exclude<Answer, symbol> {
  if (typeof answer !== "symbol") return answer as Exclude<Answer, symbol>;
  // During a prompt the terminal is in raw mode, so Ctrl-C sends no signal. Raise it here.
  if (!signal.aborted) process.emit("SIGINT", "SIGINT");
  throw signal.reason;
}
