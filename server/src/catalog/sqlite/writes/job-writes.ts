import { isProblem, type StoreFinding } from "@tierkeep/schema/domain/findings";
import type { Job } from "@tierkeep/schema/services/jobs";
import { jobCounts } from "../../changes/jobs.ts";
import type { JobCounts } from "../../job-changes.ts";
import type { JobRecord, LiveJobKey, PurgeGate } from "../../records.ts";
import type { SweepJobsChange } from "../../upkeep-changes.ts";
import type { Connection, Row } from "../connection.ts";
import { UNCONFIRMED } from "../reads/job-reads.ts";
import { tierCode } from "../rows/codes.ts";
import { factsOf, jobRow, WITHOUT_INPUT } from "../rows/job-row.ts";

/** The columns of a job's counters. */
const COUNT_COLUMNS = {
  treated: "treated",
  errors: "total_errors",
  promotedToWarm: "promoted_to_warm",
  promotedToCold: "promoted_to_cold",
  purged: "purged",
  restored: "restored",
  skipped: "skipped",
  adopted: "adopted",
  present: "present",
  quarantined: "quarantined",
  left: "left_over",
  checked: "checked",
  checkedBytes: "checked_bytes",
  damaged: "damaged",
  missing: "missing",
  stray: "stray",
  healed: "healed",
} as const satisfies Record<keyof JobCounts, string>;

const COUNTS = Object.keys(COUNT_COLUMNS) as readonly (keyof JobCounts)[];

const ADD = `UPDATE job SET findings = findings + ?, has_items = has_items OR ?,
  ${COUNTS.map((count) => `${COUNT_COLUMNS[count]} = ${COUNT_COLUMNS[count]} + ?`).join(", ")} WHERE id = ?`;

/** What the effects of a group add to one job. */
interface Additions {
  readonly findings: StoreFinding[];
  readonly counts: Record<keyof JobCounts, number>;
}

/** Reads and writes jobs, their counters and findings, for a writer. */
export class JobWrites {
  readonly #connection: Connection;
  readonly #additions = new Map<string, Additions>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  job(jobId: string): JobRecord | null {
    const cells = this.#cells(jobId);
    if (cells === undefined) return null;
    const { treated: _treated, input: _input, ...record } = jobRow(cells);
    return record;
  }

  jobCounts(jobId: string): Readonly<Record<string, number>> | null {
    const cells = this.#cells(jobId);
    return cells === undefined ? null : jobCounts(jobRow(cells).job);
  }

  /** Returns the running live job of this key. */
  live(key: LiveJobKey): { readonly jobId: string; readonly input: unknown } | null {
    const [kind = "", tenantId = ""] = key.split("/");
    const sameTenant = kind === "verify" ? " AND j.tenant IS ?" : "";
    const cells = this.#connection
      .statement(
        `SELECT j.job, i.input FROM job j INDEXED BY job_running CROSS JOIN job_input i ON i.job = j.id
         WHERE j.status = 'RUNNING' AND j.kind = ? AND j.dry_run = 0${sameTenant} ORDER BY j.started_at, j.job LIMIT 1`,
      )
      .get(kind, ...(kind === "verify" ? [tenantId || null] : []));
    return cells === undefined ? null : { jobId: cells[0] as string, input: JSON.parse(cells[1] as string) };
  }

  /** Returns the reindexes that are not confirmed yet; purging is disabled while there are any. */
  purgeGate(): PurgeGate | null {
    const rows = this.#connection.statement(UNCONFIRMED).all();
    return rows.length === 0 ? null : { jobIds: rows.map(([job]) => job as string) };
  }

  put(jobId: string, record: JobRecord): void {
    const { job, actor, expected, position, cancelRequested, workSeconds, blocks, ending } = record;
    const changed = this.#connection
      .statement(
        `UPDATE job SET status = ?, finished_at = ?, duration_seconds = ?, error = ?, cancel_requested = ?, position = ?,
           expected = ?, confirmed_at = ?, blocks = ?, ending = ? WHERE job = ?`,
      )
      .run(
        job.status,
        job.finishedAt,
        workSeconds,
        job.error,
        cancelRequested ? 1 : 0,
        JSON.stringify(position),
        expected,
        job.kind === "reindex" ? job.confirmedAt : null,
        blocks,
        ending === null ? null : JSON.stringify(ending),
        jobId,
      );
    if (changed === 0) this.#insert(job, actor, expected);
  }

  putInput(jobId: string, input: unknown): void {
    this.#connection
      .statement("INSERT INTO job_input VALUES ((SELECT id FROM job WHERE job = ?), ?)")
      .run(jobId, JSON.stringify(input));
  }

  addCounts(jobId: string, by: JobCounts): void {
    const { counts } = this.#additionsOf(jobId);
    for (const count of COUNTS) counts[count] += by[count] ?? 0;
  }

  /** Appends a finding. A finding that is a problem also counts as an error. */
  addFinding(jobId: string, finding: StoreFinding): void {
    const { findings, counts } = this.#additionsOf(jobId);
    findings.push(finding);
    if (isProblem(finding)) counts.errors += 1;
  }

  /** Writes what was added to each job, with one statement for all of its counters. */
  flush(): void {
    for (const [jobId, { findings, counts }] of this.#additions) {
      const [job, last] = this.#connection
        .statement("SELECT id, findings FROM job WHERE job = ?")
        .get(jobId) as unknown as [number, number];
      for (const [index, finding] of findings.entries()) this.#insertFinding(job, last + index + 1, finding);
      const some = findings.length > 0 ? 1 : 0;
      this.#connection
        .statement(ADD)
        .run(findings.length, some, ...COUNTS.map((count) => counts[count]), job);
    }
    this.#additions.clear();
  }

  /** Drops what was added since the last flush. */
  drop(): void {
    this.#additions.clear();
  }

  /** Deletes plans and findings of older jobs. A running job keeps its own. */
  prune({ jobId, keep, limit }: SweepJobsChange): number {
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
    let removed = 0;
    for (const table of ["plan_block", "block", "finding"] as const) {
      if (removed >= limit) return removed;
      const column = table === "finding" ? "number" : "n";
      removed += this.#connection
        .statement(
          `DELETE FROM ${table} WHERE job = ?1 AND ${column} IN (SELECT ${column} FROM ${table} WHERE job = ?1 LIMIT ?2)`,
        )
        .run(job, limit - removed);
    }
    if (removed < limit)
      this.#connection.statement("UPDATE job SET has_items = 0, findings = 0 WHERE id = ?").run(job);
    return removed;
  }

  #insert(job: Job, actor: string, expected: number | null): void {
    const id = this.#connection
      .statement(
        `INSERT INTO job (job, kind, status, dry_run, started_at, duration_seconds, treated, expected, total_errors,
           promoted_to_warm, promoted_to_cold, purged, restored, skipped, has_items, cancel_requested, position,
           tenant, actor, facts)
         VALUES (?, ?, 'RUNNING', ?, ?, 0, 0, ?, 0, 0, 0, 0, 0, 0, 0, 0, 'null', ?, ?, ?) RETURNING id`,
      )
      .get(
        job.id,
        job.kind,
        job.dryRun ? 1 : 0,
        job.startedAt,
        expected,
        job.tenantId,
        actor,
        JSON.stringify(factsOf(job)),
      )?.[0] as number;
    if (job.kind !== "restore" || job.tenantId !== null) return;
    for (const tenant of new Set(job.tenantIds ?? [])) {
      this.#connection.statement("INSERT INTO shared_job VALUES (?, ?)").run(tenant, id);
    }
  }

  #insertFinding(job: number, number: number, finding: StoreFinding): void {
    this.#connection
      .statement("INSERT INTO finding VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .run(
        job,
        number,
        finding.kind,
        finding.path,
        finding.tenantId,
        finding.workflowId,
        finding.artifactId,
        finding.tier === null ? null : tierCode(finding.tier),
        finding.message,
      );
  }

  #additionsOf(jobId: string): Additions {
    let additions = this.#additions.get(jobId);
    if (additions === undefined) {
      const counts = Object.fromEntries(COUNTS.map((count) => [count, 0])) as Additions["counts"];
      additions = { findings: [], counts };
      this.#additions.set(jobId, additions);
    }
    return additions;
  }

  #cells(jobId: string): Row | undefined {
    return this.#connection.statement(`SELECT ${WITHOUT_INPUT} FROM job j WHERE j.job = ?`).get(jobId);
  }
}
