import type { LifecycleJob } from "@tierkeep/schema/services/jobs";
import type { PageWindow } from "../../catalog.ts";
import type { JobRow, StoreFindingRow } from "../../rows.ts";
import type { Cell, Connection } from "../connection.ts";
import {
  FINDING_COLUMNS,
  findingRow,
  JOB_COLUMN_COUNT,
  JOB_COLUMNS,
  jobRow,
  WITHOUT_INPUT,
} from "../rows/job-row.ts";
import { columnWalk, inOrder } from "./page-window.ts";

/** The owners of jobs; null: all jobs, including those over all tenants. */
interface Owners {
  readonly tenants?: readonly (string | null)[] | undefined;
}

const WITH_INPUT = "LEFT JOIN job_input i ON i.job = j.id";

/** The live reindexes that adopted artifacts and are not confirmed, oldest first. */
export const UNCONFIRMED = `SELECT job FROM job INDEXED BY job_unconfirmed
  WHERE kind = 'reindex' AND dry_run = 0 AND adopted > 0 AND confirmed_at IS NULL ORDER BY started_at, job`;

/** Reads jobs and their findings on one connection. */
export class JobReads {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  jobs(jobIds: readonly string[]): readonly (JobRow | null)[] {
    const found: (JobRow | null)[] = jobIds.map(() => null);
    const rows = this.#connection
      .statement(
        `SELECT ${JOB_COLUMNS}, k.key FROM json_each(?) k CROSS JOIN job j ON j.job = k.value ${WITH_INPUT}`,
      )
      .all(JSON.stringify(jobIds));
    for (const cells of rows) found[cells[JOB_COLUMN_COUNT] as number] = jobRow(cells);
    return found;
  }

  runningJobs(): readonly JobRow[] {
    return this.#connection
      .statement(
        `SELECT ${JOB_COLUMNS} FROM job j INDEXED BY job_running ${WITH_INPUT}
         WHERE j.status = 'RUNNING' ORDER BY j.started_at, j.job`,
      )
      .all()
      .map(jobRow);
  }

  lastFinishedLifecycleJob(dryRun: boolean | null, { tenants = [null] }: Owners = {}): LifecycleJob | null {
    const kinds = dryRun === null ? [0, 1] : [dryRun ? 1 : 0];
    const last = tenants
      .flatMap((tenant) =>
        kinds.map((dry) => {
          const { condition, index, parameters } = ofTenant("job_finished", "job_tenant_finished", tenant);
          return this.#connection
            .statement(
              `SELECT ${WITHOUT_INPUT} FROM job j INDEXED BY ${index}
               WHERE j.kind = 'lifecycle' AND j.finished_at IS NOT NULL${condition} AND j.dry_run = ?
               ORDER BY j.finished_at DESC, j.id DESC LIMIT 1`,
            )
            .get(...parameters, dry);
        }),
      )
      .filter((cells) => cells !== undefined)
      .map(lifecycleJob)
      .toSorted((a, b) => (b.finishedAt ?? 0) - (a.finishedAt ?? 0));
    return last[0] ?? null;
  }

  listFindings(jobId: string, window: PageWindow<number>): readonly StoreFindingRow[] {
    const { condition, parameters, order } = columnWalk("f.number", window);
    const rows = this.#connection
      .statement(
        `SELECT ${FINDING_COLUMNS} FROM job j CROSS JOIN finding f WHERE j.job = ? AND f.job = j.id${condition} ${order}`,
      )
      .all(jobId, ...parameters, window.limit);
    return inOrder(rows.map(findingRow), window.backward);
  }

  countFindings(jobId: string): number {
    const found = this.#connection.statement("SELECT findings FROM job WHERE job = ?").get(jobId);
    return (found?.[0] as number | undefined) ?? 0;
  }

  unconfirmedReindex(): string | null {
    return (this.#connection.statement(UNCONFIRMED).get()?.[0] as string | undefined) ?? null;
  }
}

/** Returns where to find the jobs of all tenants (null) or of one: a job over all tenants belongs to none. */
function ofTenant(ofAll: string, ofOne: string, tenant: string | null) {
  return tenant === null
    ? { index: ofAll, condition: "", parameters: [] }
    : { index: ofOne, condition: " AND j.tenant = ?", parameters: [tenant] };
}

function lifecycleJob(cells: readonly Cell[]): LifecycleJob {
  const { job } = jobRow(cells);
  if (job.kind !== "lifecycle") throw new Error(`Job ${job.id} is not a lifecycle job.`);
  return job;
}
