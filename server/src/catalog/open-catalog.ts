import type { Catalog } from "./catalog.ts";

import type { Durability } from "./sqlite/connection.ts";
import { InlineSqliteCatalog, openSqliteCatalog } from "./sqlite/open-sqlite-catalog.ts";

export {
  CatalogCopy,
  type CatalogFacts,
  copyCatalog,
  type NamedObject,
  restart,
} from "./sqlite/catalog-copy.ts";
export { CatalogFormatError } from "./sqlite/schema/migrations.ts";

export interface OpenCatalogOptions {
  /** Path of the embedded catalog's file, which may not exist yet; its folder must exist. */
  readonly path: string;
  readonly durability: Durability;
  /**
   * Path of the space reserve, a file that is freed on a full disk; the caller maintains it. Default: none.
   */
  readonly spaceReserve?: string | undefined;
  /** False: no copy is made before a catalog of an older format is migrated. Default: true. */
  readonly migrationCopy?: boolean | undefined;
  /** inline: everything runs on the calling thread, for tests and short commands. Default: worker. */
  readonly thread?: "worker" | "inline" | undefined;
}

/**
 * Opens the embedded catalog. This module is the only one that imports a catalog driver.
 *
 * The caller must own the store: two processes never open the same embedded catalog.
 * @throws CatalogFormatError, or SQLite's own error for the file
 */
export async function openCatalog(options: OpenCatalogOptions): Promise<Catalog> {
  return options.thread === "inline" ? InlineSqliteCatalog.open(options) : await openSqliteCatalog(options);
}
