import { rmSync } from "node:fs";
import { createPrivateFile } from "../../../files/private-file.ts";
import type { Connection } from "../connection.ts";
import { SCHEMA_1 } from "./schema-1.ts";
import { SCHEMAS_FROM_2 } from "./schemas-from-2.ts";

export interface Migration {
  /** The format after the migration. */
  readonly version: number;
  readonly sql: string;
}

/** All formats, from 1. Append entries and never edit one: existing catalogs were migrated with the entries as they are. */
export const MIGRATIONS: readonly Migration[] = [SCHEMA_1, ...SCHEMAS_FROM_2].map((sql, index) => ({
  version: index + 1,
  sql,
}));

/** The catalog was written by a newer version of this program. */
export class NewerCatalogError extends Error {
  override readonly name = "NewerCatalogError";

  static of(path: string, found: number, known: number): NewerCatalogError {
    return new NewerCatalogError(
      `The catalog ${path} has format ${found}, and this version of tierkeep supports formats up to ${known}. Use the newer version that wrote it.`,
    );
  }
}

/**
 * Migrates a catalog to the newest format, one transaction per format. A catalog that is not new is first copied to
 * `PATH.format-N.bak`. SQLite makes the copy: closing another descriptor of the file would drop this process's locks.
 *
 * @throws NewerCatalogError
 */
export function migrate(
  connection: Connection,
  path: string,
  migrations: readonly Migration[] = MIGRATIONS,
): void {
  const found = connection.statement("PRAGMA user_version").get()?.[0] as number;
  const known = migrations.at(-1)?.version ?? 0;
  if (found > known) throw NewerCatalogError.of(path, found, known);
  if (found === known) return;
  if (found > 0) copyCatalog(connection, `${path}.format-${found}.bak`);
  for (const { version, sql } of migrations) {
    if (version <= found) continue;
    connection.exec("BEGIN IMMEDIATE");
    try {
      connection.exec(sql);
      connection.exec(`PRAGMA user_version = ${version}`);
      connection.exec("COMMIT");
    } catch (error) {
      if (connection.inTransaction) connection.exec("ROLLBACK");
      throw error;
    }
  }
}

function copyCatalog(connection: Connection, copy: string): void {
  rmSync(copy, { force: true });
  createPrivateFile(copy);
  connection.statement("VACUUM INTO ?").run(copy);
}
