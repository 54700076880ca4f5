import { isProblem, type StoreFinding } from "@tierkeep/schema/domain/findings";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Job } from "@tierkeep/schema/services/jobs";
import { decideFinishJob, decideStartJob, jobEvent } from "../../decide/decide-job.ts";
import type { JobProgress } from "../../decide/decision.ts";
import type {
  AdvanceJobChange,
  ConfirmReindexChange,
  FinishJobChange,
  RequestCancelChange,
  StartJobChange,
  StartJobResult,
  StoreCounts,
} from "../../job-changes.ts";
import type { JobRow, LifecycleItemRow } from "../../rows.ts";
import type { SweepJobItemsChange } from "../../upkeep-changes.ts";
import type { Connection } from "../connection.ts";
import { UNCONFIRMED } from "../reads/job-reads.ts";
import { tierCode } from "../rows/codes.ts";
import { factsOf, ITEM_COLUMNS, itemRow, JOB_COLUMNS, jobRow } from "../rows/job-row.ts";
import type { EventLog } from "./event-log.ts";

/** Writes jobs, their counters and their items, for a writer. */
export class JobWrites {
  readonly #connection: Connection;
  readonly #log: EventLog;

  constructor(connection: Connection, log: EventLog) {
    this.#connection = connection;
    this.#log = log;
  }

  start(change: StartJobChange): StartJobResult {
    const { job } = change;
    if (this.#find(job.id) !== null) return { jobId: job.id, started: true };
    const { event, result } = decideStartJob(this.#liveJob(job), change);
    if (event === null) return result;
    this.#log.append(event);
    const id = this.#connection
      .statement(
        `INSERT INTO job (job, kind, status, dry_run, started_at, duration_seconds, treated, expected, total_errors,
           promoted_to_warm, promoted_to_cold, purged, restored, skipped, items, has_items, cancel_requested, position,
           tenant, actor, facts)
         VALUES (?, ?, 'RUNNING', ?, ?, 0, 0, ?, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'null', ?, ?, ?) RETURNING id`,
      )
      .get(
        job.id,
        job.kind,
        job.dryRun ? 1 : 0,
        job.startedAt,
        change.expected,
        job.tenantId,
        change.actor,
        JSON.stringify(factsOf(job)),
      )?.[0] as number;
    this.#connection
      .statement("INSERT INTO job_input VALUES (?, ?)")
      .run(id, JSON.stringify(change.input ?? null));
    if (job.kind === "restore" && job.tenantId === null) {
      for (const tenant of new Set(job.tenantIds ?? [])) {
        this.#connection.statement("INSERT INTO shared_job VALUES (?, ?)").run(tenant, id);
      }
    }
    return result;
  }

  advance(change: AdvanceJobChange): null {
    this.#connection
      .statement(
        `UPDATE job SET position = ?, duration_seconds = ?, expected = coalesce(?, expected)
         WHERE job = ? AND status = 'RUNNING'`,
      )
      .run(JSON.stringify(change.position), change.durationSeconds, change.expected ?? null, change.jobId);
    if (change.found === undefined) return null;
    const { findings, counts, treated } = change.found;
    this.found(change.jobId, findings, counts);
    this.#connection
      .statement("UPDATE job SET treated = treated + ? WHERE job = ?")
      .run(treated, change.jobId);
    return null;
  }

  /** Stores findings of a job and adds to its counters. Findings that are problems also count as errors. */
  found(jobId: string, findings: readonly StoreFinding[], counts: StoreCounts): void {
    const [job, last] = this.#connection
      .statement("SELECT id, findings FROM job WHERE job = ?")
      .get(jobId) as unknown as [number, number];
    for (const [index, finding] of findings.entries()) {
      this.#connection
        .statement("INSERT INTO finding VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .run(
          job,
          last + index + 1,
          finding.kind,
          finding.path,
          finding.tenantId,
          finding.workflowId,
          finding.artifactId,
          finding.tier === null ? null : tierCode(finding.tier),
          finding.message,
        );
    }
    this.#connection
      .statement(
        `UPDATE job SET has_items = has_items OR ?1, findings = findings + ?1, adopted = adopted + ?2, present = present + ?3,
           quarantined = quarantined + ?4, left_over = left_over + ?5, checked = checked + ?6,
           checked_bytes = checked_bytes + ?7, damaged = damaged + ?8, missing = missing + ?9, stray = stray + ?10,
           healed = healed + ?11, total_errors = total_errors + ?12 WHERE id = ?13`,
      )
      .run(
        findings.length,
        counts.adopted ?? 0,
        counts.present ?? 0,
        counts.quarantined ?? 0,
        counts.left ?? 0,
        counts.checked ?? 0,
        counts.checkedBytes ?? 0,
        counts.damaged ?? 0,
        counts.missing ?? 0,
        counts.stray ?? 0,
        counts.healed ?? 0,
        findings.filter(isProblem).length,
        job,
      );
  }

  confirmReindex(change: ConfirmReindexChange): null {
    const confirmed = this.#connection
      .statement(
        `UPDATE job SET confirmed_at = ?
         WHERE job = ? AND kind = 'reindex' AND dry_run = 0 AND status <> 'RUNNING' AND confirmed_at IS NULL`,
      )
      .run(change.at, change.jobId);
    const job = this.#find(change.jobId)?.job;
    if (confirmed > 0 && job !== undefined) this.#log.append(jobEvent("REINDEX_CONFIRMED", change, job));
    return null;
  }

  /** Returns the reindex that is not confirmed yet; purging is disabled while there is one. */
  unconfirmedReindex(): string | null {
    return (this.#connection.statement(UNCONFIRMED).get()?.[0] as string | undefined) ?? null;
  }

  requestCancel(change: RequestCancelChange): null {
    this.#connection
      .statement("UPDATE job SET cancel_requested = 1 WHERE job = ? AND status = 'RUNNING'")
      .run(change.jobId);
    return null;
  }

  finish(change: FinishJobChange): null {
    const event = decideFinishJob(this.#find(change.jobId)?.job ?? null, change);
    if (event === null) return null;
    this.#log.append(event);
    this.#connection
      .statement(
        "UPDATE job SET status = ?, finished_at = ?, duration_seconds = ?, error = ? WHERE job = ? AND status = 'RUNNING'",
      )
      .run(change.status, change.at, change.durationSeconds, change.error, change.jobId);
    return null;
  }

  /** Returns the job's item for a key; null: none yet. */
  item(jobId: string, key: ArtifactKey): LifecycleItemRow | null {
    const cells = this.#connection
      .statement(
        `SELECT ${ITEM_COLUMNS} FROM job_item i
         WHERE i.job = ? AND i.tenant = ? AND i.workflow = ? AND i.artifact = ?`,
      )
      .get(this.#require(jobId), key.tenantId, key.workflowId, key.artifactId);
    return cells === undefined ? null : itemRow(cells);
  }

  hasTreated(jobId: string, key: ArtifactKey): boolean {
    return (
      this.#connection
        .statement("SELECT 1 FROM job_item WHERE job = ? AND tenant = ? AND workflow = ? AND artifact = ?")
        .get(this.#require(jobId), key.tenantId, key.workflowId, key.artifactId) !== undefined
    );
  }

  /** Counts a processed artifact and stores it. A restore job stores only its key. */
  treated(jobId: string, progress: JobProgress, key: ArtifactKey, item: LifecycleItemRow | null): void {
    const job = this.#require(jobId);
    this.#connection
      .statement("INSERT INTO job_item VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .run(
        job,
        key.tenantId,
        key.workflowId,
        key.artifactId,
        item?.step ?? null,
        item === null ? null : tierCode(item.fromTier),
        item === null || item.toTier === null ? null : tierCode(item.toTier),
        item?.ageDays ?? null,
        item?.sizeBytes ?? null,
        item?.outcome ?? null,
        item?.errorCode ?? null,
        item?.error ?? null,
      );
    this.#connection.statement("UPDATE job SET has_items = 1 WHERE id = ? AND has_items = 0").run(job);
    this.#connection
      .statement(
        `UPDATE job SET treated = treated + 1, items = items + 1, total_errors = total_errors + ?,
           promoted_to_warm = promoted_to_warm + ?, promoted_to_cold = promoted_to_cold + ?, purged = purged + ?,
           restored = restored + ?, skipped = skipped + ? WHERE id = ?`,
      )
      .run(
        progress.errors ?? 0,
        progress.promotedToWarm ?? 0,
        progress.promotedToCold ?? 0,
        progress.purged ?? 0,
        progress.restored ?? 0,
        progress.skipped ?? 0,
        job,
      );
  }

  /** Deletes items of older jobs. A running job keeps its items. */
  prune({ jobId, keep, limit }: SweepJobItemsChange): number {
    const jobs = this.#connection
      .statement(
        `SELECT j.id FROM job k CROSS JOIN job j INDEXED BY job_with_items
         WHERE k.job = ? AND j.has_items = 1 AND j.kind = k.kind AND j.tenant IS k.tenant AND j.status <> 'RUNNING'
         ORDER BY j.started_at DESC, j.job DESC LIMIT -1 OFFSET ?`,
      )
      .all(jobId, keep);
    let left = limit;
    for (const [job] of jobs.toReversed()) left -= this.#pruneJob(job as number, left);
    return limit - left;
  }

  #pruneJob(job: number, limit: number): number {
    if (limit <= 0) return 0;
    const removed = this.#connection
      .statement(
        `DELETE FROM job_item WHERE job = ?1 AND (tenant, workflow, artifact) IN
           (SELECT tenant, workflow, artifact FROM job_item WHERE job = ?1 LIMIT ?2)`,
      )
      .run(job, limit);
    const findings = this.#connection
      .statement(
        "DELETE FROM finding WHERE job = ?1 AND number IN (SELECT number FROM finding WHERE job = ?1 LIMIT ?2)",
      )
      .run(job, limit - removed);
    this.#connection
      .statement("UPDATE job SET items = max(0, items - ?), findings = max(0, findings - ?) WHERE id = ?")
      .run(removed, findings, job);
    if (removed + findings < limit)
      this.#connection.statement("UPDATE job SET has_items = 0 WHERE id = ?").run(job);
    return removed + findings;
  }

  /**
   * Returns the running live job of the same kind. For verifications, also of the same tenant, or of the
   * complete store.
   */
  #liveJob({ kind, tenantId }: Job): { readonly id: string; readonly input: unknown } | null {
    const sameTenant = kind === "verify" ? " AND j.tenant IS ?" : "";
    const cells = this.#connection
      .statement(
        `SELECT j.job, i.input FROM job j INDEXED BY job_running CROSS JOIN job_input i ON i.job = j.id
         WHERE j.status = 'RUNNING' AND j.kind = ? AND j.dry_run = 0${sameTenant} ORDER BY j.started_at, j.job LIMIT 1`,
      )
      .get(kind, ...(kind === "verify" ? [tenantId] : []));
    return cells === undefined ? null : { id: cells[0] as string, input: JSON.parse(cells[1] as string) };
  }

  #find(jobId: string): JobRow | null {
    const cells = this.#connection
      .statement(`SELECT ${JOB_COLUMNS} FROM job j LEFT JOIN job_input i ON i.job = j.id WHERE j.job = ?`)
      .get(jobId);
    return cells === undefined ? null : jobRow(cells);
  }

  #require(jobId: string): number {
    const row = this.#connection.statement("SELECT id FROM job WHERE job = ?").get(jobId);
    if (row === undefined) throw new Refused("NOT_FOUND", "There is no job with this id.");
    return row[0] as number;
  }
}
