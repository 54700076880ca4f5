import { once } from "node:events";
import process from "node:process";
import type { Readable, Writable } from "node:stream";
import { Refused } from "@tierkeep/schema/domain/refusals";

type Terminal<Stream> = Stream & { readonly isTTY?: boolean };

/** Where questions are asked and answered. stdout is not part of it: it may go into a file. */
export interface Dialogue {
  readonly input: Terminal<Readable>;
  readonly output: Terminal<Writable>;
}

export const DIALOGUE: Dialogue = { input: process.stdin, output: process.stderr };

/** Whether somebody sits there who could answer. */
export function isInteractive({ input, output }: Dialogue = DIALOGUE): boolean {
  return input.isTTY === true && output.isTTY === true;
}

/**
 * To be called before anything is opened.
 *
 * @throws Refused BAD_USER_INPUT where nobody can be asked and --yes was not given
 */
export function requireConfirmable(yes: boolean, dialogue: Dialogue = DIALOGUE): void {
  if (yes || isInteractive(dialogue)) return;
  throw new Refused(
    "BAD_USER_INPUT",
    "This cannot be undone, and there is no terminal to ask at. Add --yes to do it all the same, or --dry-run to see what it would do.",
  );
}

/** Asks a question that only a clear yes answers. @throws AbortError when it is interrupted instead of answered */
export async function confirmed(
  question: string,
  signal: AbortSignal,
  dialogue: Dialogue = DIALOGUE,
): Promise<boolean> {
  const { confirm } = await import("@clack/prompts");
  return answered(await confirm({ message: question, initialValue: false, signal, ...dialogue }), signal);
}

/** An answer to a question of clack's, which answers with a symbol where Ctrl-C or the signal ended it. */
export async function answered<Answer>(
  answer: Answer,
  signal: AbortSignal,
): Promise<Exclude<Answer, symbol>> {
  if (typeof answer !== "symbol") return answer as Exclude<Answer, symbol>;
  if (!signal.aborted) {
    // While it asks, a terminal makes no signal of Ctrl-C. Here it becomes one again, and ends what any other would.
    const aborted = once(signal, "abort");
    process.kill(process.pid, "SIGINT");
    await aborted;
  }
  throw signal.reason;
}
