import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import { decideReport } from "../../decide/decide-report.ts";
import type { ReportChange, ScrubbedChange } from "../../upkeep-changes.ts";
import type { Connection } from "../connection.ts";
import type { EventLog } from "./event-log.ts";

/** Writes the logged findings and the scrubber's position, for a writer. */
export class ScrubWrites {
  readonly #connection: Connection;
  readonly #log: EventLog;

  constructor(connection: Connection, log: EventLog) {
    this.#connection = connection;
    this.#log = log;
  }

  tell(change: ReportChange): number {
    let logged = 0;
    for (const finding of change.findings) {
      if (!this.isNew(markOf(finding))) continue;
      this.#log.append(decideReport(finding, change));
      logged += 1;
    }
    return logged;
  }

  scrubbed({ position, passEnds }: ScrubbedChange): null {
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
    return null;
  }

  /** Returns whether the finding is new, and records it. */
  isNew(what: string): boolean {
    const known = this.#connection
      .statement("UPDATE told SET pass = (SELECT pass FROM scrub) WHERE what = ?")
      .run(what);
    if (known === 0) this.#connection.statement("INSERT INTO told SELECT ?, pass FROM scrub").run(what);
    return known === 0;
  }

  /** Removes the record of a finding that is resolved, so that it is logged again if it returns. */
  forget(finding: StoreFinding): void {
    this.#connection.statement("DELETE FROM told WHERE what = ?").run(markOf(finding));
  }
}

/** Identifies a finding: by its path or, where it has none, by its tenant or workflow. */
function markOf({ kind, path, tenantId, workflowId }: StoreFinding): string {
  return `${kind} ${path ?? [tenantId, workflowId].filter((name) => name !== null).join("/")}`;
}
