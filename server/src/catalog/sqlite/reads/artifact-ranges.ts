import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Connection } from "../connection.ts";

/** A range of artifacts that is small enough for one statement, as a condition on artifact a. */
export interface ArtifactRange {
  readonly condition: string;
  readonly parameters: readonly (string | number)[];
  /** Number of artifacts in the range; slightly too high for a range of row numbers. */
  readonly rows: number;
}

/** Row numbers or names in the first range of a scan. */
const FIRST_SIZE = 500;

/** The longest range: a row takes at least half a microsecond. */
const MAX_SIZE = 50_000;

/** Target duration of a range, ms: other scans wait for it. */
const RANGE_MS = 10;

/** Size of the next range, adapted to the duration of the previous one. */
export class RangeSize {
  #size = FIRST_SIZE;

  readonly next = (): number => this.#size;

  took(ms: number): void {
    const factor = Math.min(4, Math.max(0.25, RANGE_MS / Math.max(ms, 0.1)));
    this.#size = Math.round(Math.min(MAX_SIZE, Math.max(1, this.#size * factor)));
  }
}

/**
 * Yields ranges of all current artifacts, in the order of the file. Row numbers are seqs of events, so a range may be
 * nearly empty: together they count no more rows than there are artifacts.
 */
export function* rowRanges(connection: Connection, size: () => number): Generator<ArtifactRange> {
  const newest = (connection.statement("SELECT max(id) FROM artifact").get()?.[0] as number | null) ?? 0;
  let left = connection.statement("SELECT hot + warm + cold FROM total").get()?.[0] as number;
  for (let low = 0; low < newest; ) {
    const high = Math.min(newest, low + size());
    const rows = Math.min(left, high - low);
    left -= rows;
    yield { condition: "a.id > ? AND a.id <= ?", parameters: [low, high], rows };
    low = high;
  }
}

/**
 * Yields ranges of a tenant, a workflow or all artifacts in KEY order or its reverse, beyond `from`. Names
 * never change, so a range stays correct when rows are added or deleted between ranges.
 */
export function* keyRanges(
  connection: Connection,
  scope: { readonly tenantId?: string | undefined; readonly workflowId?: string | undefined },
  from: ArtifactKey | null,
  backward: boolean,
  size: () => number,
): Generator<ArtifactRange> {
  const { tenantId, workflowId } = scope;
  for (const tenant of names(connection, "tenant", tenantId, from?.tenantId, backward)) {
    const start = from !== null && tenant.name === from.tenantId ? from : null;
    for (const workflow of names(
      connection,
      "workflow",
      workflowId,
      start?.workflowId,
      backward,
      tenant.id,
    )) {
      const at = start !== null && workflow.name === start.workflowId ? start.artifactId : null;
      yield* nameRanges(connection, workflow.id, at, backward, size);
    }
  }
}

function* nameRanges(
  connection: Connection,
  workflow: number,
  from: string | null,
  backward: boolean,
  size: () => number,
): Generator<ArtifactRange> {
  const [beyond, upTo, direction, last] = backward ? ["<", ">=", " DESC", "min"] : [">", "<=", "", "max"];
  for (let start = from; ; ) {
    const most = size();
    const [bound, rows] = connection
      .statement(
        `SELECT ${last}(name), count(*) FROM (SELECT name FROM artifact INDEXED BY artifact_key
         WHERE workflow = ?${start === null ? "" : ` AND name ${beyond} ?`} ORDER BY name${direction} LIMIT ?)`,
      )
      .get(workflow, ...(start === null ? [] : [start]), most) as unknown as [string | null, number];
    const parameters: (string | number)[] = [workflow];
    let condition = "a.workflow = ?";
    if (start !== null) {
      condition += ` AND a.name ${beyond} ?`;
      parameters.push(start);
    }
    if (bound === null || rows < most) {
      yield { condition, parameters, rows };
      return;
    }
    yield { condition: `${condition} AND a.name ${upTo} ?`, parameters: [...parameters, bound], rows };
    start = bound;
  }
}

/**
 * Returns the tenants, or a tenant's workflows, that have artifacts: only the one named `only`, or all from
 * `from` (inclusive).
 */
function* names(
  connection: Connection,
  table: "tenant" | "workflow",
  only: string | undefined,
  from: string | undefined,
  backward: boolean,
  tenant?: number,
): Generator<{ readonly id: number; readonly name: string }> {
  const [beyond, direction] = backward ? ["<", " DESC"] : [">", ""];
  const owner = tenant === undefined ? "" : " AND tenant = ?";
  const owned = tenant === undefined ? [] : [tenant];
  const next = (operator: string, name: string | null) =>
    connection
      .statement(
        `SELECT id, name FROM ${table} INDEXED BY ${table}_holding
         WHERE tiers <> 0${owner}${name === null ? "" : ` AND name ${operator} ?`} ORDER BY name${direction} LIMIT 1`,
      )
      .get(...owned, ...(name === null ? [] : [name]));
  let row = only === undefined ? next(`${beyond}=`, from ?? null) : next("=", only);
  while (row !== undefined) {
    const name = row[1] as string;
    yield { id: row[0] as number, name };
    if (only !== undefined) return;
    row = next(beyond, name);
  }
}
