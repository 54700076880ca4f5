import { type RefusalRecord, Refused } from "@tierkeep/schema/domain/refusals";

/** An error as plain data. Structured cloning of an Error loses its class, its name and its codes. */
export type ErrorRecord =
  | { readonly refusal: RefusalRecord }
  | {
      readonly refusal?: undefined;
      readonly name: string;
      readonly message: string;
      readonly stack: string | undefined;
      /**
       * The codes of system errors ("ENOENT") and of SQLite's ("ERR_SQLITE_ERROR" and a number), and the kind of storage
       * errors.
       */
      readonly codes: Readonly<Record<string, unknown>>;
      readonly cause: ErrorRecord | null;
    };

export function errorRecord(error: unknown): ErrorRecord {
  if (error instanceof Refused) return { refusal: error.toRecord() };
  if (!(error instanceof Error))
    return { name: "Error", message: String(error), stack: undefined, codes: {}, cause: null };
  const { name, message, stack, cause } = error;
  const { code, errcode, kind } = error as { readonly [name in "code" | "errcode" | "kind"]?: unknown };
  const codes = {
    ...(code !== undefined && { code }),
    ...(errcode !== undefined && { errcode }),
    ...(kind !== undefined && { kind }),
  };
  return { name, message, stack, codes, cause: cause instanceof Error ? errorRecord(cause) : null };
}

/**
 * Returns the error of a record, with the stack of the thread that threw it. Only `Refused` gets its class
 * back.
 */
export function errorFrom(record: ErrorRecord): Error {
  if (record.refusal !== undefined) return Refused.from(record.refusal);
  const { name, message, stack, codes, cause } = record;
  const error = Object.assign(new Error(message, cause === null ? {} : { cause: errorFrom(cause) }), codes);
  if (name !== error.name) error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}
