import { hash } from "node:crypto";
import type { EventJob, LifecycleEvent } from "@tierkeep/schema/domain/events";
import { jobGlobalId } from "@tierkeep/schema/domain/jobs";

/** Position of a line in the hash chain. */
export interface Link {
  /** Number of the segment that starts with this line. Null: no segment starts. */
  readonly segment: number | null;
  /** SHA-256, hex, of the previous line with its newline, in any file. Null: it is the first line. */
  readonly prev: string | null;
}

/**
 * Returns an event as a line of the audit log (line format 2), with its newline. The line depends only on the event
 * and the chain, so a written line can be recognized and written again with the same bytes. Every line has
 * every key in this order, with two exceptions: `job` is only in lines that start or end a job, and `segment`
 * only in the first line of a file. Format 1 had neither `segment` nor `prev`.
 */
export function jsonlLine(event: LifecycleEvent, { segment, prev }: Link): string {
  return `${JSON.stringify({
    seq: event.seq,
    ...lineFields(event, event.jobId === null ? null : jobGlobalId(event.jobId)),
    ...(segment === null ? {} : { segment }),
    prev,
  })}\n`;
}

/** Fields of an event, except its position in the log. A newer server may have written unknown enum values. */
export interface EventFields
  extends Omit<LifecycleEvent, "seq" | "type" | "actor" | "fromTier" | "toTier" | "errorCode"> {
  readonly type: string;
  readonly actor: string | null;
  readonly fromTier: string | null;
  readonly toTier: string | null;
  readonly errorCode: string | null;
}

/** Returns the fields of a line, named and ordered as in the log. @param job global id of the event's job */
export function lineFields(event: EventFields, job: string | null): Readonly<Record<string, unknown>> {
  return {
    timestamp: new Date(event.timestamp).toISOString(),
    event_type: event.type.toLowerCase(),
    tenant_id: event.tenantId,
    workflow_id: event.workflowId,
    artifact_id: event.artifactId,
    from_tier: event.fromTier,
    to_tier: event.toTier,
    age_days: event.ageDays,
    size_bytes: event.sizeBytes,
    checksum: event.checksum,
    dry_run: event.dryRun,
    actor: event.actor,
    job_id: event.jobId,
    error_code: event.errorCode,
    error: event.error,
    ...(event.job === undefined ? {} : { job: jobFields(event.job, job) }),
  };
}

/** Returns the job that an event starts or ends. Every key is present, with null if it does not apply. */
function jobFields(job: EventJob, id: string | null): Readonly<Record<string, unknown>> {
  const policy = job.retentionPolicy;
  return {
    id,
    kind: job.kind,
    status: job.status,
    as_of: job.asOf === undefined ? null : new Date(job.asOf).toISOString(),
    steps: job.steps ?? null,
    policy: policy
      ? { hot_days: policy.hotDays, warm_days: policy.warmDays, cold_days: policy.coldDays }
      : null,
    to_tier: job.toTier ?? null,
    repair: job.repair ?? null,
    counts: job.counts === undefined ? null : snakeCased(job.counts),
    duration_seconds: job.durationSeconds ?? null,
  };
}

function snakeCased(counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [snake(name), count]));
}

export interface ChainedLines {
  readonly bytes: Buffer;
  /** Hash of the last line, for `prev` of the next line. */
  readonly head: string | null;
}

/** Returns events as chained lines. Each line contains the hash of its previous line; the first, `link.prev`. */
export function chainedLines(events: readonly LifecycleEvent[], link: Link): ChainedLines {
  let { segment, prev } = link;
  const lines: string[] = [];
  for (const event of events) {
    const line = jsonlLine(event, { segment, prev });
    lines.push(line);
    prev = lineHash(line);
    segment = null;
  }
  return { bytes: Buffer.from(lines.join("")), head: prev };
}

/** Returns the SHA-256 of a line with its newline, in hex. */
export function lineHash(line: string | Uint8Array): string {
  return hash("sha256", line);
}
