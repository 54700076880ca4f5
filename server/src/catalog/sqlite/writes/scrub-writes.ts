import type { ScrubState } from "../../rows.ts";
import type { ScrubbedChange } from "../../upkeep-changes.ts";
import type { Connection } from "../connection.ts";

/** Reads and writes the reported findings and the scrubber's state, for a writer. */
export class ScrubWrites {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  state(): ScrubState {
    const row = this.#connection.statement("SELECT pass, position FROM scrub").get();
    return { pass: row?.[0] as number, position: JSON.parse(row?.[1] as string) };
  }

  reported(mark: string): { readonly pass: number } | null {
    const row = this.#connection.statement("SELECT pass FROM told WHERE what = ?").get(mark);
    return row === undefined ? null : { pass: row[0] as number };
  }

  putReported(mark: string, pass: number): void {
    this.#connection
      .statement("INSERT INTO told VALUES (?, ?) ON CONFLICT (what) DO UPDATE SET pass = excluded.pass")
      .run(mark, pass);
  }

  /** Removes the mark of a finding that is resolved, so that it is reported again if it returns. */
  deleteReported(mark: string): void {
    this.#connection.statement("DELETE FROM told WHERE what = ?").run(mark);
  }

  scrubbed({ position, passEnds }: ScrubbedChange): number {
    // A verification that continues after a crash relies on what it has logged, however many passes ended
    // since.
    if (passEnds)
      this.#connection
        .statement(
          `DELETE FROM told WHERE pass < (SELECT pass FROM scrub)
             AND NOT EXISTS (SELECT 1 FROM job INDEXED BY job_running WHERE status = 'RUNNING' AND kind = 'verify')`,
        )
        .run();
    this.#connection
      .statement("UPDATE scrub SET position = ?, pass = pass + ?")
      .run(JSON.stringify(position), passEnds ? 1 : 0);
    return 1;
  }
}
