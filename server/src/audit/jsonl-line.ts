import { hash } from "node:crypto";
import type { EventJob, LifecycleEvent } from "@tierkeep/schema/domain/events";
import { jobGlobalId } from "@tierkeep/schema/domain/jobs";

/** What ties a line to those before it. */
export interface Link {
  /** The number of the segment that this line begins; null: it begins none. */
  readonly segment: number | null;
  /** SHA-256, hex, of the line before, newline included, in whatever file; null: none came before. */
  readonly prev: string | null;
}

/**
 * An event as a line of the audit log, newline included: line format 2. A function of the event and of the chain so far,
 * so that a line that was written once can be recognised, and written again byte for byte. Every line has every key, in
 * this order, with two exceptions: `job` is only in lines that start or end a job, and `segment` only in the first line
 * of a file. Format 1 had neither `segment` nor `prev`.
 */
export function jsonlLine(event: LifecycleEvent, { segment, prev }: Link): string {
  return `${JSON.stringify({
    seq: event.seq,
    ...lineFields(event, event.jobId === null ? null : jobGlobalId(event.jobId)),
    ...(segment === null ? {} : { segment }),
    prev,
  })}\n`;
}

/** What an event says, but for its place in the log. Its words may be those of a newer server. */
export interface Told
  extends Omit<LifecycleEvent, "seq" | "type" | "actor" | "fromTier" | "toTier" | "errorCode"> {
  readonly type: string;
  readonly actor: string | null;
  readonly fromTier: string | null;
  readonly toTier: string | null;
  readonly errorCode: string | null;
}

/** What a line says, under the names of the log, in its order. `job`: the id by which the API knows the job. */
export function lineFields(event: Told, job: string | null): Readonly<Record<string, unknown>> {
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

/** The job that an event starts or ends. Every key is present in every such line; null: it does not apply. */
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
  /** What the next line names as the one before it. */
  readonly head: string | null;
}

/** Events as lines, each naming the one before it, the first one `link.prev`. */
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

/** SHA-256, hex, of a line with its newline. */
export function lineHash(line: string | Uint8Array): string {
  return hash("sha256", line);
}
