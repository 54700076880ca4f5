import { type RefusalRecord, Refused } from "@tierkeep/schema/domain/refusals";

/** An error as plain data. Structured cloning of an Error loses its class, its name and its codes. */
export type ErrorRecord =
  | { readonly refusal: RefusalRecord }
  | {
      readonly refusal?: undefined;
      readonly name: string;
      readonly message: string;
      readonly stack: string | undefined;
      /** The codes of system errors ("ENOENT") and of SQLite's ("ERR_SQLITE_ERROR" and a number). */
      readonly codes: Readonly<Record<string, unknown>>;
    };

export function errorRecord(error: unknown): ErrorRecord {
  if (error instanceof Refused) return { refusal: error.toRecord() };
  if (!(error instanceof Error))
    return { name: "Error", message: String(error), stack: undefined, codes: {} };
  const { name, message, stack } = error;
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  const codes = { ...(code !== undefined && { code }), ...(errcode !== undefined && { errcode }) };
  return { name, message, stack, codes };
}

/**
 * Returns the error of a record, with the stack of the thread that threw it. Only `Refused` gets its class
 * back.
 */
export function errorFrom(record: ErrorRecord): Error {
  if (record.refusal !== undefined) return Refused.from(record.refusal);
  const { name, message, stack, codes } = record;
  const error = Object.assign(new Error(message), codes);
  if (name !== error.name) error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}
