/** Errors whose messages quote their input, which may be content or metadata. */
const QUOTING: ReadonlySet<string> = new Set(["SyntaxError", "NonErrorThrown"]);

/** Deepest level of causes that is logged. */
const MAX_CAUSES = 5;

export interface LoggedError {
  readonly type: string;
  readonly message?: string;
  /** Error code of the system: ENOSPC, ERR_SQLITE_ERROR … */
  readonly code?: string;
  /** Where it was thrown, without the message. */
  readonly stack?: string;
  readonly cause?: LoggedError;
}

/**
 * Returns an error as it is logged. Properties that drivers and libraries add are omitted, except the code,
 * because they may contain input.
 */
export function loggedError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { type: error === null ? "null" : typeof error };
  const { name, message, stack = "", cause } = error;
  const { code } = error as NodeJS.ErrnoException;
  return {
    type: name,
    ...(!QUOTING.has(name) && { message }),
    ...(typeof code === "string" && { code }),
    stack: stack
      .split("\n")
      .filter((line) => /^\s+at /.test(line))
      .join("\n"),
    ...(cause !== undefined && depth < MAX_CAUSES && { cause: loggedError(cause, depth + 1) }),
  };
}
