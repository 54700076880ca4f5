import { JOB_KINDS, type JobKind } from "@tierkeep/schema/domain/jobs";
import type { Job } from "@tierkeep/schema/services/jobs";
import type { JobSelection, JobStart, PageWindow } from "../../catalog.ts";
import type { Connection } from "../connection.ts";
import { jobRow, WITHOUT_INPUT } from "../rows/job-row.ts";
import { inOrder, type Walk, walk } from "./page-window.ts";
import { onSnapshot } from "./snapshot.ts";

/** A part of a list of jobs that one statement reads: its rows, and the parameters of its condition. */
interface Branch {
  readonly from: string;
  readonly condition: string;
  readonly parameters: readonly string[];
}

/** Lists and counts jobs on one connection: newest first, one statement per kind and tenant, merged. */
export class JobLists {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  listJobs(selection: JobSelection, window: PageWindow<JobStart>): readonly Job[] {
    const asked = walk(window);
    const nearest = asked.backward ? 1 : -1;
    const found = onSnapshot(this.#connection, () =>
      branchesOf(selection).flatMap((branch) => this.#list(branch, asked)),
    ).sort((a, b) => (a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1)) * nearest);
    return inOrder(found.slice(0, asked.limit), asked.backward);
  }

  countJobs(selection: JobSelection): number {
    return onSnapshot(this.#connection, () =>
      branchesOf(selection)
        .map(
          ({ from, condition, parameters }) =>
            this.#connection
              .statement(`SELECT count(*) FROM job j ${from} WHERE ${condition}`)
              .get(...parameters)?.[0] as number,
        )
        .reduce((sum, count) => sum + count, 0),
    );
  }

  /** In order of distance from the window's start. */
  #list({ from, condition, parameters }: Branch, asked: Walk<JobStart>): Job[] {
    const [beyond, before, direction] = asked.backward ? [">", "<", ""] : ["<", ">", " DESC"];
    let where = condition;
    const values: (string | number)[] = [...parameters];
    for (const [operator, position] of [
      [beyond, asked.from],
      [before, asked.until],
    ] as const) {
      if (position === null) continue;
      where += ` AND (j.started_at, j.job) ${operator} (?, ?)`;
      values.push(position.startedAt, position.id);
    }
    return this.#connection
      .statement(
        `SELECT ${WITHOUT_INPUT} FROM job j ${from} WHERE ${where}
         ORDER BY j.started_at${direction}, j.job${direction} LIMIT ?`,
      )
      .all(...values, asked.limit)
      .map((cells) => jobRow(cells).job);
  }
}

/** Returns true if a page is read directly from an index. */
export function isIndexedJobs(selection: JobSelection): boolean {
  return (selection.statuses === undefined || onlyRunning(selection)) && sharedTenants(selection) === null;
}

function branchesOf(selection: JobSelection): readonly Branch[] {
  const { tenantId, tenants, kinds = JOB_KINDS, statuses } = selection;
  const running = onlyRunning(selection) ? "INDEXED BY job_running" : null;
  const status =
    statuses === undefined
      ? ""
      : running === null
        ? ` AND j.status IN (${statuses.map(quoted).join(", ")})`
        : " AND j.status = 'RUNNING'";
  const ofAll = (kind: JobKind): Branch => ({
    from: running ?? "INDEXED BY job_kind",
    condition: `j.kind = ?${status}`,
    parameters: [kind],
  });
  const ofTenant = (kind: JobKind, tenant: string): Branch => ({
    from: running ?? "INDEXED BY job_owner",
    condition: `j.tenant = ? AND j.kind = ?${status}`,
    parameters: [tenant, kind],
  });
  const seen = tenantId === undefined ? tenants : (tenants ?? [tenantId]).filter((one) => one === tenantId);
  if (seen === undefined) return kinds.map(ofAll);
  const shared = sharedTenants(selection);
  return [
    ...seen.flatMap((tenant) => kinds.map((kind) => ofTenant(kind, tenant))),
    ...(shared === null ? [] : [sharedBy(shared, status)]),
  ];
}

/** Jobs over several tenants that all belong to `tenants`. */
function sharedBy(tenants: readonly string[], status: string): Branch {
  const names = JSON.stringify(tenants);
  return {
    from: "",
    condition: `j.id IN (SELECT s.job FROM json_each(?) k CROSS JOIN shared_job s ON s.tenant = k.value)
      AND NOT EXISTS (SELECT 1 FROM shared_job s INDEXED BY shared_job_tenants
        WHERE s.job = j.id AND s.tenant NOT IN (SELECT value FROM json_each(?)))${status}`,
    parameters: [names, names],
  };
}

/**
 * Returns the tenants to which a job over several tenants must be limited; null: no such job is selected, or
 * every job is.
 */
function sharedTenants({ tenantId, tenants, kinds }: JobSelection): readonly string[] | null {
  if (tenants === undefined || tenants.length < 2 || tenantId !== undefined) return null;
  return kinds === undefined || kinds.includes("restore") ? tenants : null;
}

function onlyRunning({ statuses }: JobSelection): boolean {
  return statuses?.length === 1 && statuses[0] === "RUNNING";
}

function quoted(word: string): string {
  return `'${word}'`;
}
