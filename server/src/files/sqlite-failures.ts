// Primary result codes of SQLite (https://sqlite.org/rescode.html). The higher bits of an extended code add details.
const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;
// An extended code.
const SQLITE_IOERR_SHMSIZE = 4874;

/**
 * The meaning of an SQLite error for the caller of a change:
 * - full: the disk has no space; nothing was changed.
 * - io: the change may or may not have been written.
 * - busy: another process has locked the file.
 * - other: a programming error.
 */
export type FailureKind = "full" | "io" | "busy" | "other";

export function failureKind(error: unknown): FailureKind {
  switch (primaryCode(error)) {
    case SQLITE_FULL:
      return "full";
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_CANTOPEN:
    case SQLITE_NOTADB:
    case SQLITE_READONLY:
      return "io";
    case SQLITE_BUSY:
      return "busy";
    default:
      return "other";
  }
}

/** Returns true if SQLite could not open a catalog because the disk has no space for the index of its WAL. */
export function hasNoSpaceForIndex(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === SQLITE_IOERR_SHMSIZE;
}

export function isBusy(error: unknown): boolean {
  return primaryCode(error) === SQLITE_BUSY;
}

function primaryCode(error: unknown): number {
  if (!(error instanceof Error) || !("errcode" in error)) return 0;
  return (error.errcode as number) & 0xff;
}

/** Returns an error like those of node:sqlite, for tests that make a step fail. */
export function sqliteError(errcode: number, message: string): Error {
  return Object.assign(new Error(message), { code: "ERR_SQLITE_ERROR", errcode, errstr: message });
}
