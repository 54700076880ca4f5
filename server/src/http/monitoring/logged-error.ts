/** Names of errors whose messages quote what was thrown or read, which may be a content or somebody's metadata. */
const QUOTING: ReadonlySet<string> = new Set(["SyntaxError", "NonErrorThrown"]);

/** Causes of causes are told to this depth. */
const MAX_CAUSES = 5;

export interface LoggedError {
  readonly type: string;
  readonly message?: string;
  /** Of the system: ENOSPC, ERR_SQLITE_ERROR … */
  readonly code?: string;
  /** Where it was thrown, without the message. */
  readonly stack?: string;
  readonly cause?: LoggedError;
}

/**
 * An error as the log has it. Of its own properties only the code: drivers and libraries put into others what they were
 * working on.
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
