import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { counted, dropped, unpublished } from "../../changes/artifact-effects.ts";
import type { Decision } from "../../decide/decision.ts";
import type { Effect } from "../../records.ts";
import type { ArtifactRow } from "../../rows.ts";
import type { Connection } from "../connection.ts";
import type { EventLog } from "./event-log.ts";
import type { JobWrites } from "./job-writes.ts";
import type { RecordWrites } from "./record-writes.ts";

/** Applies decisions about artifacts, in the same way for every kind of change. */
export class ArtifactWrites {
  readonly #connection: Connection;
  readonly #records: RecordWrites;
  readonly #log: EventLog;
  readonly #jobs: JobWrites;

  constructor(connection: Connection, records: RecordWrites, log: EventLog, jobs: JobWrites) {
    this.#connection = connection;
    this.#records = records;
    this.#log = log;
    this.#jobs = jobs;
  }

  load(key: ArtifactKey): ArtifactRow | null {
    return this.#records.artifact(key);
  }

  apply<R>(key: ArtifactKey, current: ArtifactRow | null, decision: Decision<R>): R {
    const version = this.#log.newest + 1;
    const after =
      decision.row.kind === "put"
        ? { ...decision.row.row, row: current?.row ?? version, version }
        : decision.row.kind === "delete"
          ? null
          : current;
    this.#records.apply(effectsOf(key, current, after, version, decision));
    if (decision.job !== null) this.#jobs.treated(decision.job.id, decision.job.progress, key, decision.item);
    if (decision.found !== null)
      this.#jobs.found(decision.found.jobId, decision.found.findings, decision.found.counts);
    return decision.result(after);
  }

  /** Drops the inline content, which is now in its object. Nothing else changes, so the version stays. */
  settle(current: ArtifactRow): void {
    if (!current.inline) return;
    this.#connection.statement("UPDATE artifact SET inline = NULL WHERE id = ?").run(current.row);
    this.#records.apply([{ delete: "inline", key: current.object }]);
  }
}

function effectsOf(
  key: ArtifactKey,
  current: ArtifactRow | null,
  after: ArtifactRow | null,
  version: number,
  { row, event, garbage, unstage, republish }: Decision<unknown>,
): readonly Effect[] {
  const effects: Effect[] = [];
  if (row.kind !== "keep") {
    if (event === null) throw new Error("A row would change without an event.");
    if (current === null) {
      const { tenantId, workflowId } = key;
      effects.push({ put: "scope", key: { tenantId, workflowId: "" }, value: true });
      effects.push({ put: "scope", key: { tenantId, workflowId }, value: true });
    } else {
      effects.push(counted(current, -1));
      if (garbage !== null) effects.push(...dropped(current, garbage.notBefore));
    }
    if (after === null) effects.push({ delete: "artifact", key });
    else effects.push({ put: "artifact", key, value: after }, counted(after, 1));
    effects.push(unpublished(key, version));
  }
  if (unstage !== null) effects.push({ delete: "staged", key: unstage });
  if (event !== null) effects.push({ append: "event", value: event });
  if (republish && current !== null) effects.push(unpublished(key, current.version));
  return effects;
}
