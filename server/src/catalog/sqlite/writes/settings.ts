import type { Connection } from "../connection.ts";

/** Reads the store's settings on one connection. */
export class SettingsReads {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  settings(): string | null {
    const row = this.#connection.statement("SELECT document FROM store_settings").get();
    return (row?.[0] as string | undefined) ?? null;
  }
}

/** Writes the store's settings, for a writer. */
export class SettingsWrites extends SettingsReads {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    super(connection);
    this.#connection = connection;
  }

  put(settings: string): void {
    this.#connection
      .statement(
        "INSERT INTO store_settings VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET document = excluded.document",
      )
      .run(settings);
  }
}
