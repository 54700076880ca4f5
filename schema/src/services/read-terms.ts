/** Under which terms a request reads a list. */
export interface ReadTerms {
  /** Aborts when the client has gone or the server ends: a read that looks at many rows stops then. */
  readonly signal?: AbortSignal | undefined;
  /** Rows that another list, or another count, of this request may still look at; null: any number. */
  readonly rowsLeft: (read: "list" | "count") => number | null;
  /** Notes that a read has looked at rows. Reads that an index answers look at no more than they return, and note none. */
  readonly scanned: (rows: number) => void;
}

/** For a caller inside this process that no limit applies to. */
export const UNLIMITED: ReadTerms = { rowsLeft: () => null, scanned: () => {} };
