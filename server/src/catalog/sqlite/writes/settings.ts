import { eventOf } from "../../decide/event-of.ts";
import type { ChangeSettingsChange } from "../../settings-changes.ts";
import type { Connection } from "../connection.ts";
import type { EventLog } from "./event-log.ts";

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

/** Writes the store's settings and their events. */
export class SettingsWrites {
  readonly #connection: Connection;
  readonly #log: EventLog;

  constructor(connection: Connection, log: EventLog) {
    this.#connection = connection;
    this.#log = log;
  }

  change({ settings, events, ...stamp }: ChangeSettingsChange): null {
    this.#connection
      .statement(
        "INSERT INTO store_settings VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET document = excluded.document",
      )
      .run(settings);
    for (const { type, message } of events) this.#log.append(eventOf(type, stamp, { error: message }));
    return null;
  }
}
