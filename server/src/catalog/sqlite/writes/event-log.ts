import type { EventJob, LifecycleEvent } from "@tierkeep/schema/domain/events";
import type { ErrorCode } from "@tierkeep/schema/domain/refusals";
import type { EventDraft } from "../../records.ts";
import type { Cell, Connection } from "../connection.ts";
import { eventTypeCode, eventTypeName, tierCode, tierName } from "../rows/codes.ts";
import type { Names } from "./names.ts";

/** Columns of event e with its names, in the order that `eventRow` reads. */
export const EVENT_COLUMNS = `e.seq, e.at, e.type, e.actor, t.name, w.name, e.artifact, e.from_tier, e.to_tier, e.age_days,
  e.size_bytes, e.checksum, e.dry_run, e.job, e.error_code, e.error, e.job_facts`;

export const EVENT_COLUMN_COUNT = 17;

export function eventRow(cells: readonly Cell[]): LifecycleEvent {
  const fromTier = cells[7] as number | null;
  const toTier = cells[8] as number | null;
  return {
    seq: cells[0] as number,
    timestamp: cells[1] as number,
    type: eventTypeName(cells[2] as number),
    actor: cells[3] as string,
    tenantId: cells[4] as string | null,
    workflowId: cells[5] as string | null,
    artifactId: cells[6] as string | null,
    fromTier: fromTier === null ? null : tierName(fromTier),
    toTier: toTier === null ? null : tierName(toTier),
    ageDays: cells[9] as number | null,
    sizeBytes: cells[10] as number | null,
    checksum: cells[11] as string | null,
    dryRun: cells[12] === 1,
    jobId: cells[13] as string | null,
    errorCode: cells[14] as ErrorCode | null,
    error: cells[15] as string | null,
    ...(cells[16] === null ? {} : { job: JSON.parse(cells[16] as string) as EventJob }),
  };
}

/** The end of the log, for a writer. Assigns seqs, which rise by one with every committed event. */
export class EventLog {
  readonly #connection: Connection;
  readonly #names: Names;
  #committed: number;
  #next: number;

  constructor(connection: Connection, names: Names) {
    this.#connection = connection;
    this.#names = names;
    this.#committed = lastSeq(connection);
    this.#next = this.#committed + 1;
  }

  append(event: EventDraft): number {
    const tenant = event.tenantId === null ? null : this.#names.tenant(event.tenantId);
    const workflow =
      event.tenantId === null || event.workflowId === null
        ? null
        : this.#names.workflow(event.tenantId, event.workflowId);
    const seq = this.#next;
    this.#connection
      .statement(`INSERT INTO event (seq, at, type, dry_run, tenant, workflow, artifact, from_tier, to_tier, age_days, size_bytes,
           actor, checksum, job, error_code, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
      .run(
        seq,
        event.timestamp,
        eventTypeCode(event.type),
        event.dryRun ? 1 : 0,
        tenant === null ? null : tenant.id,
        workflow === null ? null : workflow.id,
        event.artifactId,
        event.fromTier === null ? null : tierCode(event.fromTier),
        event.toTier === null ? null : tierCode(event.toTier),
        event.ageDays,
        event.sizeBytes,
        event.actor,
        event.checksum,
        event.jobId,
        event.errorCode,
        event.error,
      );
    if (event.job !== undefined) {
      this.#connection
        .statement("UPDATE event SET job_facts = ? WHERE seq = ?")
        .run(JSON.stringify(event.job), seq);
    }
    this.#next += 1;
    return seq;
  }

  /** The last event's seq, those of the open transaction included; 0: the log is empty. */
  get newest(): number {
    return this.#next - 1;
  }

  /** Returns the newest seq of the committed group; null where it wrote no event. */
  committed(): number | null {
    const { newest } = this;
    if (newest === this.#committed) return null;
    this.#committed = newest;
    return newest;
  }

  reload(): void {
    this.#committed = lastSeq(this.#connection);
    this.#next = this.#committed + 1;
  }

  rolledBack(): void {
    this.#next = this.#committed + 1;
  }
}

/** Returns the newest seq in the log; 0: the log is empty. */
export function lastSeq(connection: Connection): number {
  return (connection.statement("SELECT max(seq) FROM event").get()?.[0] as number | null) ?? 0;
}
