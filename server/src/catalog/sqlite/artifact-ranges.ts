import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Connection } from "./connection.ts";

/** Part of the artifacts, small enough to be read in one go, as a condition on artifact a. */
export interface ArtifactRange {
  readonly condition: string;
  readonly parameters: readonly (string | number)[];
}

/** Row numbers per range; they are seqs of events, so that ranges may be nearly empty. */
const RANGE_ROWS = 50_000;

/** Names per range, each of which costs a look at a row somewhere in the file. */
const RANGE_NAMES = 10_000;

/** Everything there is now, in the order of the file. */
export function* rowRanges(connection: Connection, size = RANGE_ROWS): Generator<ArtifactRange> {
  const newest = (connection.statement("SELECT max(id) FROM artifact").get()?.[0] as number | null) ?? 0;
  for (let low = 0; low < newest; low += size) {
    const high = Math.min(newest, low + size);
    yield { condition: "a.id > ? AND a.id <= ?", parameters: [low, high] };
  }
}

/**
 * A tenant, a workflow or everything in KEY order, or its reverse, strictly beyond `from`. Names never change, so a
 * range stays right when rows come and go between ranges.
 */
export function* keyRanges(
  connection: Connection,
  scope: { readonly tenantId?: string | undefined; readonly workflowId?: string | undefined },
  from: ArtifactKey | null,
  backward: boolean,
  size = RANGE_NAMES,
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
  size: number,
): Generator<ArtifactRange> {
  const [beyond, upTo, direction] = backward ? ["<", ">=", " DESC"] : [">", "<=", ""];
  for (let start = from; ; ) {
    const bound = connection
      .statement(
        `SELECT name FROM artifact INDEXED BY artifact_key WHERE workflow = ?${start === null ? "" : ` AND name ${beyond} ?`}
         ORDER BY name${direction} LIMIT 1 OFFSET ${size - 1}`,
      )
      .get(workflow, ...(start === null ? [] : [start]))?.[0] as string | undefined;
    const parameters: (string | number)[] = [workflow];
    let condition = "a.workflow = ?";
    if (start !== null) {
      condition += ` AND a.name ${beyond} ?`;
      parameters.push(start);
    }
    if (bound === undefined) {
      yield { condition, parameters };
      return;
    }
    yield { condition: `${condition} AND a.name ${upTo} ?`, parameters: [...parameters, bound] };
    start = bound;
  }
}

/** Tenants, or a tenant's workflows, that hold something: the one named `only`, or all from `from` (inclusive) on. */
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
