import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import { decideTold } from "../decide/decide-told.ts";
import type { ScrubbedChange, TellChange } from "../upkeep-changes.ts";
import type { Connection } from "./connection.ts";
import type { EventLog } from "./event-log.ts";

/** What has been told of, and how far the scrubber is, for a writer. */
export class ScrubWrites {
  readonly #connection: Connection;
  readonly #log: EventLog;

  constructor(connection: Connection, log: EventLog) {
    this.#connection = connection;
    this.#log = log;
  }

  tell(change: TellChange): number {
    const pass = this.#connection.statement("SELECT pass FROM scrub").get()?.[0] as number;
    let told = 0;
    for (const finding of change.findings) {
      if (!this.#isNew(finding, pass)) continue;
      this.#log.append(decideTold(finding, change));
      told += 1;
    }
    return told;
  }

  scrubbed({ position, passEnds }: ScrubbedChange): null {
    if (passEnds) this.#connection.statement("DELETE FROM told WHERE pass < (SELECT pass FROM scrub)").run();
    this.#connection
      .statement("UPDATE scrub SET position = ?, pass = pass + ?")
      .run(JSON.stringify(position), passEnds ? 1 : 0);
    return null;
  }

  #isNew(finding: StoreFinding, pass: number): boolean {
    if (finding.kind === "QUARANTINED") return true;
    const what = `${finding.kind} ${finding.path}`;
    const known = this.#connection.statement("UPDATE told SET pass = ? WHERE what = ?").run(pass, what);
    if (known === 0) this.#connection.statement("INSERT INTO told VALUES (?, ?)").run(what, pass);
    return known === 0;
  }
}
