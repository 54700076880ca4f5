import type { Catalog } from "../../src/catalog/catalog.ts";
import type { CounterOwner } from "../../src/catalog/miscounts.ts";

/** A new, empty catalog of the driver under test, in a place of its own. */
export interface OpenedCatalog extends AsyncDisposable {
  readonly catalog: Catalog;
  /** Closes it and opens what it left, as the next process would. */
  reopen(): Promise<Catalog>;
  /** As a mistake of the driver's would: where it is kept how many artifacts these hold in COLD, that is one more than before. */
  miscount(owner: CounterOwner): void;
}

export type OpenForTest = () => Promise<OpenedCatalog>;
