import { rmSync } from "node:fs";
import { createPrivateFile } from "../../../files/private-file.ts";
import type { Connection } from "../connection.ts";
import { SCHEMA_1 } from "./schema-1.ts";
import { SCHEMA_2 } from "./schema-2.ts";
import { SCHEMA_3 } from "./schema-3.ts";
import { SCHEMA_4 } from "./schema-4.ts";
import { SCHEMA_5 } from "./schema-5.ts";
import { SCHEMA_6 } from "./schema-6.ts";
import { SCHEMA_7 } from "./schema-7.ts";
import { SCHEMA_8 } from "./schema-8.ts";
import { SCHEMA_9 } from "./schema-9.ts";

export interface Migration {
  /** The version that the catalog has afterwards; they rise by one. */
  readonly version: number;
  readonly sql: string;
}

/** What every catalog has gone through. Entries are appended and never edited: catalogs exist that took them as they are. */
export const MIGRATIONS: readonly Migration[] = [
  { version: 1, sql: SCHEMA_1 },
  { version: 2, sql: SCHEMA_2 },
  { version: 3, sql: SCHEMA_3 },
  { version: 4, sql: SCHEMA_4 },
  { version: 5, sql: SCHEMA_5 },
  { version: 6, sql: SCHEMA_6 },
  { version: 7, sql: SCHEMA_7 },
  { version: 8, sql: SCHEMA_8 },
  { version: 9, sql: SCHEMA_9 },
];

/** The catalog was written by a newer version of this program. */
export class NewerCatalogError extends Error {
  override readonly name = "NewerCatalogError";

  static of(path: string, found: number, known: number): NewerCatalogError {
    return new NewerCatalogError(
      `The catalog ${path} has format ${found}, and this version of tierkeep knows formats up to ${known}. Use the newer version that wrote it.`,
    );
  }
}

/**
 * Brings a catalog to the newest format, a transaction each. One that holds anything is copied first, to
 * `PATH.format-N.bak`; through SQLite, since opening and closing the file by hand would drop this process's locks on it.
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
