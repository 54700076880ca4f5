import { rmSync } from "node:fs";
import { createPrivateFile } from "../../../files/private-file.ts";
import { failureKind } from "../../../files/sqlite-failures.ts";
import type { Connection } from "../connection.ts";
import { SCHEMA_1 } from "./schema-1.ts";
import { SCHEMA_10 } from "./schema-10.ts";
import { SCHEMAS_FROM_2 } from "./schemas-from-2.ts";

export interface Migration {
  /** The format after the migration. */
  readonly version: number;
  readonly sql: string;
  /** Converts what SQL alone cannot. Runs after `sql`, in the same transaction. */
  convert?(connection: Connection): void;
}

export interface MigrateOptions {
  /** Default: true. */
  readonly copies?: boolean | undefined;
  /** Default: all. */
  readonly migrations?: readonly Migration[];
}

/** All formats, from 1. Append entries and never edit one: existing catalogs were migrated with the entries as they are. */
export const MIGRATIONS: readonly Migration[] = [
  ...[SCHEMA_1, ...SCHEMAS_FROM_2].map((sql, index) => ({ version: index + 1, sql })),
  { version: 10, ...SCHEMA_10 },
];

/** The catalog has a format that this program cannot use: a newer one, or an older one of which no copy can be made. */
export class CatalogFormatError extends Error {
  override readonly name = "CatalogFormatError";

  static newer(path: string, found: number, known: number): CatalogFormatError {
    return new CatalogFormatError(
      `The catalog ${path} has format ${found}, and this version of tierkeep supports formats up to ${known}. Use the newer version that wrote it.`,
    );
  }

  static notCopied(copy: string, cause: unknown): CatalogFormatError {
    return new CatalogFormatError(
      `The catalog has an older format, and there is no space for the copy ${copy} that is made before it is changed. Free some space, or start once with: tierkeep serve --without-migration-copy`,
      { cause },
    );
  }
}

/**
 * Migrates a catalog to the newest format, one transaction per format. A catalog that is not new is first copied to
 * `PATH.format-N.bak`, unless `copies` is false. SQLite makes the copy: closing another descriptor of the file would
 * drop this process's locks.
 *
 * @throws CatalogFormatError
 */
export function migrate(
  connection: Connection,
  path: string,
  { copies = true, migrations = MIGRATIONS }: MigrateOptions = {},
): void {
  const found = connection.statement("PRAGMA user_version").get()?.[0] as number;
  const known = migrations.at(-1)?.version ?? 0;
  if (found > known) throw CatalogFormatError.newer(path, found, known);
  if (found === known) return;
  if (found > 0 && copies) copyCatalog(connection, `${path}.format-${found}.bak`);
  for (const migration of migrations) {
    const { version, sql } = migration;
    if (version <= found) continue;
    connection.exec("BEGIN IMMEDIATE");
    try {
      connection.exec(sql);
      migration.convert?.(connection);
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
  try {
    connection.statement("VACUUM INTO ?").run(copy);
  } catch (error) {
    rmSync(copy, { force: true });
    throw failureKind(error) === "full" ? CatalogFormatError.notCopied(copy, error) : error;
  }
}
