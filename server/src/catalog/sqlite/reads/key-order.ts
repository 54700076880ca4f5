import { type ArtifactKey, compareKeys } from "@tierkeep/schema/domain/keys";
import type { ArtifactRow } from "../../rows.ts";
import type { Connection } from "../connection.ts";
import { ARTIFACT_COLUMNS, artifactRow } from "../rows/artifact-row.ts";
import { inOrder, type Walk } from "./page-window.ts";

/** The limits that a list in KEY order can have and still be read directly from the index. */
export interface KeyScope {
  readonly tenantId?: string | undefined;
  /** Only with a tenant. */
  readonly workflowId?: string | undefined;
  /** Only with a workflow. */
  readonly artifactIdPrefix?: string | undefined;
}

/**
 * Returns a page of artifacts in KEY order. Three indexes nest in that order, so only returned rows are read:
 * first the rest of the position's own workflow, then the tenant's other workflows, then the other tenants
 * with artifacts.
 */
export function keyOrderPage(
  connection: Connection,
  scope: KeyScope,
  asked: Walk<ArtifactKey>,
): readonly ArtifactRow[] {
  const { backward, limit } = asked;
  const from = startWithin(scope, asked);
  if (from === "nothing") return [];
  const found: ArtifactRow[] = [];
  const beyond = backward ? "<" : ">";
  const order = backward ? " DESC" : "";
  const take = (sql: string, parameters: string[]) => {
    if (found.length >= limit) return;
    for (const cells of connection.statement(sql).all(...parameters, limit - found.length)) {
      found.push(artifactRow(cells));
    }
  };

  const { tenantId, workflowId, artifactIdPrefix } = scope;
  if (workflowId !== undefined || from !== null) {
    const parameters = [from?.tenantId ?? tenantId ?? "", from?.workflowId ?? workflowId ?? ""];
    let condition = "";
    if (from !== null) {
      condition += ` AND a.name ${beyond} ?`;
      parameters.push(from.artifactId);
    }
    if (artifactIdPrefix !== undefined && artifactIdPrefix !== "") {
      condition += " AND a.name >= ?";
      parameters.push(artifactIdPrefix);
      const end = prefixEnd(artifactIdPrefix);
      if (end !== null) {
        condition += " AND a.name < ?";
        parameters.push(end);
      }
    }
    take(inWorkflow(condition, order), parameters);
  }
  if (workflowId === undefined && (tenantId !== undefined || from !== null)) {
    const parameters = [from?.tenantId ?? tenantId ?? ""];
    if (from !== null) parameters.push(from.workflowId);
    take(inTenant(from === null ? "" : ` AND w.name ${beyond} ?`, order), parameters);
  }
  if (tenantId === undefined) {
    take(
      anywhere(from === null ? "" : ` AND t.name ${beyond} ?`, order),
      from === null ? [] : [from.tenantId],
    );
  }
  const { until } = asked;
  const within =
    until === null
      ? found
      : found.filter((row) => (backward ? compareKeys(row, until) > 0 : compareKeys(row, until) < 0));
  return inOrder(within, backward);
}

/**
 * Returns the least name that is greater than every name with this prefix, in code point order; null: there
 * is none.
 */
export function prefixEnd(prefix: string): string | null {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last >= 0x10ffff) continue;
    // Surrogates are not characters: U+D7FF is followed by U+E000.
    const next = last === 0xd7ff ? 0xe000 : last + 1;
    return String.fromCodePoint(...points, next);
  }
  return null;
}

function inWorkflow(condition: string, order: string): string {
  return `SELECT ${ARTIFACT_COLUMNS} FROM tenant t CROSS JOIN workflow w CROSS JOIN artifact a INDEXED BY artifact_key
    WHERE t.name = ? AND w.tenant = t.id AND w.name = ? AND a.workflow = w.id${condition} ORDER BY a.name${order} LIMIT ?`;
}

function inTenant(condition: string, order: string): string {
  return `SELECT ${ARTIFACT_COLUMNS} FROM tenant t CROSS JOIN workflow w INDEXED BY workflow_holding
      CROSS JOIN artifact a INDEXED BY artifact_key
    WHERE t.name = ? AND w.tenant = t.id AND w.tiers <> 0${condition} AND a.workflow = w.id
    ORDER BY w.name${order}, a.name${order} LIMIT ?`;
}

function anywhere(condition: string, order: string): string {
  return `SELECT ${ARTIFACT_COLUMNS} FROM tenant t INDEXED BY tenant_holding
      CROSS JOIN workflow w INDEXED BY workflow_holding CROSS JOIN artifact a INDEXED BY artifact_key
    WHERE t.tiers <> 0${condition} AND w.tenant = t.id AND w.tiers <> 0 AND a.workflow = w.id
    ORDER BY t.name${order}, w.name${order}, a.name${order} LIMIT ?`;
}

/**
 * Returns the position to start at; null where it lies before everything in the scope, "nothing" where it
 * lies after.
 */
export function startWithin(
  scope: KeyScope,
  { from, backward }: Walk<ArtifactKey>,
): ArtifactKey | null | "nothing" {
  if (from === null) return null;
  const side = scopeSide(scope, from);
  if (side === 0) return from;
  return side < 0 === backward ? "nothing" : null;
}

/** Returns whether a key lies before (-1), within (0) or after (1) the tenant and workflow of a scope. */
function scopeSide({ tenantId, workflowId }: KeyScope, key: ArtifactKey): number {
  if (tenantId === undefined) return 0;
  const scopeKey = { tenantId, workflowId: workflowId ?? key.workflowId, artifactId: key.artifactId };
  return Math.sign(compareKeys(key, scopeKey));
}
