import type { Catalog } from "../../src/catalog/catalog.ts";
import type { CounterOwner } from "../../src/catalog/miscounts.ts";

/** A new, empty catalog of the driver under test, in a separate folder. */
export interface OpenedCatalog extends AsyncDisposable {
  readonly catalog: Catalog;
  /** Closes the catalog and opens it again, like the next process. */
  reopen(): Promise<Catalog>;
  /**
   * Corrupts a counter like a driver's bug: increases the owner's stored number of artifacts in COLD by one.
   */
  miscount(owner: CounterOwner): void;
}

export type OpenForTest = () => Promise<OpenedCatalog>;
