/** Terms under which a request reads a list. */
export interface ReadTerms {
  /** Aborts when the client disconnects or the server stops. A read that scans many rows then stops. */
  readonly signal?: AbortSignal | undefined;
  /** Returns the number of rows that the next list or count of this request may scan; null: unlimited. */
  readonly rowsLeft: (read: "list" | "count") => number | null;
  /**
   * Records that a read has scanned rows. A read that an index serves scans only the rows that it returns,
   * and records none.
   */
  readonly scanned: (rows: number) => void;
}

/** Terms without limits, for a caller inside this process. */
export const UNLIMITED: ReadTerms = { rowsLeft: () => null, scanned: () => {} };
