import type { Catalog } from "../catalog.ts";

/** A new, empty catalog of the driver under test, in a place of its own. */
export interface OpenedCatalog extends AsyncDisposable {
  readonly catalog: Catalog;
  /** Closes it and opens what it left, as the next process would. */
  reopen(): Promise<Catalog>;
}

export type OpenForTest = () => Promise<OpenedCatalog>;
