import { REFUSALS, Refused } from "@tierkeep/schema/domain/refusals";
import { StartProblem } from "../app/start-problem.ts";
import { ConfigError } from "../config/config-error.ts";
import { ConnectionProblem } from "./connection-problem.ts";

/** Exit code of an invalid request: options, configuration, an environment in which a server cannot start. */
export const EXIT_USAGE = 2;
const EXIT_UNEXPECTED = 1;

/** Every exit code of the command line, each with its meaning. */
export const EXIT_CODES: Readonly<Record<number, string>> = {
  0: "success",
  [EXIT_UNEXPECTED]: "unexpected error",
  [EXIT_USAGE]: "invalid request or configuration",
  3: "not found",
  4: "conflict with the current state",
  5: "not permitted",
  6: "temporarily unavailable, try again",
  7: "damaged content",
  8: "limit exceeded",
  130: "interrupted by Ctrl-C",
};

/**
 * Returns the exit code for an error of a command, by the table of refusals. The SDK passes refusals on, so
 * they are recognised by their code.
 */
export function exitCodeOf(error: unknown): number {
  if (error instanceof StartProblem || error instanceof ConfigError) return EXIT_USAGE;
  if (error instanceof ConnectionProblem) return REFUSALS.UNAVAILABLE.exit;
  if (error instanceof Refused) return REFUSALS[error.code].exit;
  const code = (error as { readonly code?: unknown } | null)?.code;
  if (typeof code === "string" && Object.hasOwn(REFUSALS, code))
    return REFUSALS[code as keyof typeof REFUSALS].exit;
  return EXIT_UNEXPECTED;
}

/** Returns whether the error has the code of a refusal: thrown here or passed on by the SDK. */
export function isRefusal(
  error: unknown,
): error is Error & { readonly code: string; readonly requestId?: string } {
  if (!(error instanceof Error) || !("code" in error)) return false;
  return typeof error.code === "string" && Object.hasOwn(REFUSALS, error.code);
}

/**
 * Returns whether the error's message is written for the user of the command, so that no stack is printed.
 */
export function isExpected(error: unknown): error is Error {
  return error instanceof Error && exitCodeOf(error) !== EXIT_UNEXPECTED;
}
