import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { chmod, rename, rm, stat } from "node:fs/promises";
import process from "node:process";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { EventJob as EventJobFacts } from "@tierkeep/schema/domain/events";
import type { JobKind, JobStatus } from "@tierkeep/schema/domain/jobs";
import type { LifecycleStep } from "@tierkeep/schema/domain/policy";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { EventJob, LifecycleEvent, Tierkeep } from "@tierkeep/sdk";
import { lineFields } from "../../../audit/jsonl-line.ts";
import { localProblem } from "../../local-file.ts";
import type { Output } from "../../output/output.ts";
import { counted } from "../../output/quantity.ts";

export interface AuditExportOptions {
  /** ISO 8601; inclusive. */
  readonly since?: string | undefined;
  /** ISO 8601; exclusive. */
  readonly until?: string | undefined;
  readonly tenantId?: string | undefined;
  /** Default: stdout. */
  readonly file?: string | undefined;
}

const PAGE_SIZE = 500;

/** Writes the matching events, oldest first, one per line. Returns exit code 0. */
export async function auditExport(
  tierkeep: Tierkeep,
  { since, until, tenantId, file }: AuditExportOptions,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  const events = tierkeep.lifecycleEventHistory({
    where: { since, until, tenantId },
    direction: "ASC",
    first: PAGE_SIZE,
  });
  if (file === undefined) await print(events, output, signal);
  else output.note(`${counted(await writeFile(events, file), "event")} written to ${file}`);
  return 0;
}

/** Waits for stdout to drain before it requests more events. */
async function print(
  events: AsyncIterable<LifecycleEvent>,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const ended = AbortSignal.any([signal, output.closed]);
  for await (const event of events) {
    if (output.closed.aborted) return;
    output.data(exported(event), "line");
    if (!process.stdout.writableNeedDrain) continue;
    await once(process.stdout, "drain", { signal: ended }).catch(() => {});
    signal.throwIfAborted();
  }
}

function exported(event: LifecycleEvent): Readonly<Record<string, unknown>> {
  const { cursor, timestamp, jobId, job: _job, ...rest } = event;
  const job = eventJobFacts(event);
  return {
    cursor,
    ...lineFields({ ...rest, jobId, timestamp: Date.parse(timestamp), ...(job && { job }) }, jobId),
  };
}

const NEW_FILE = 0o666;
const PERMISSIONS = 0o777;

/** Writes the file completely or not at all. A replaced file keeps its mode. Returns the number of events. */
async function writeFile(events: AsyncIterable<LifecycleEvent>, file: string): Promise<number> {
  const temporary = `${file}.${randomBytes(8).toString("hex")}.tmp`;
  let count = 0;
  async function* lines() {
    for await (const event of events) {
      count += 1;
      yield `${JSON.stringify(exported(event))}\n`;
    }
  }
  const replaced = await stat(file).catch(() => null);
  const mode = (replaced?.mode ?? NEW_FILE) & PERMISSIONS;
  try {
    await pipeline(Readable.from(lines()), createWriteStream(temporary, { flags: "wx", flush: true, mode }));
    // The umask may have removed permissions.
    if (replaced !== null) await chmod(temporary, mode);
    await rename(temporary, file);
    return count;
  } catch (error) {
    await rm(temporary, { force: true });
    throw localProblem(error, file);
  }
}

/** Returns the audit log's data about the job that this event starts or ends; undefined: the event does neither. */
function eventJobFacts({ type, job }: LifecycleEvent): EventJobFacts | undefined {
  if (job === null) return undefined;
  const started = {
    kind: job.kind.toLowerCase() as JobKind,
    status: null,
    ...(job.__typename === "LifecycleJob" && {
      asOf: Date.parse(job.asOf),
      steps: job.steps as readonly LifecycleStep[],
      retentionPolicy: job.retentionPolicy,
    }),
    ...(job.__typename === "RestoreJob" && { toTier: job.toTier as Tier }),
    ...(job.__typename === "VerifyJob" && { repair: job.repair }),
  };
  if (type === "LIFECYCLE_JOB_STARTED") return started;
  if (type !== "LIFECYCLE_JOB_COMPLETED") return undefined;
  return {
    ...started,
    status: job.status as JobStatus,
    counts: countsOf(job),
    durationSeconds: job.durationSeconds ?? 0,
  };
}

function countsOf(job: EventJob): Readonly<Record<string, number>> {
  const { totalErrors } = job;
  const counts = Object.entries(job).filter(
    ([name, value]) => typeof value === "number" && name !== "totalErrors" && name !== "durationSeconds",
  ) as [string, number][];
  return { ...Object.fromEntries(counts), totalErrors };
}
