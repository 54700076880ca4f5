import type { Tier } from "@tierkeep/schema/domain/tiers";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import type { TenantScope } from "../../catalog.ts";
import type { ArtifactRow } from "../../rows.ts";
import type { Connection } from "../connection.ts";
import { ARTIFACT_COLUMNS, artifactRow } from "../rows/artifact-row.ts";
import { tierCode } from "../rows/codes.ts";

export interface AgePosition {
  readonly value: number;
  readonly row: number;
}

export interface AgeScope extends TenantScope {
  readonly tenantId?: string | undefined;
  readonly tiers?: readonly Tier[] | undefined;
  /** Only artifacts whose ageSince is strictly before this. */
  readonly ageSinceBefore?: number | undefined;
}

/** A walk in the order of ageSince, then row. It starts after `from` and ends before `until`, both exclusive. */
export interface AgeWalk {
  readonly from: AgePosition | null;
  readonly until: AgePosition | null;
  readonly rising: boolean;
  readonly limit: number;
}

/**
 * Returns the artifacts in the order of a walk. Each tier is read in the order of its index; tiers and
 * tenants are merged.
 */
export function ageOrderPage(
  connection: Connection,
  scope: AgeScope,
  asked: AgeWalk,
): readonly ArtifactRow[] {
  const { limit, until, rising } = asked;
  const { tenants, ...rest } = scope;
  if (tenants !== undefined) {
    let best: readonly ArtifactRow[] = [];
    for (const tenantId of tenants) {
      const more = ageOrderPage(connection, { ...rest, tenantId }, asked);
      best = [...best, ...more].sort((a, b) => compareAges(a, b) * (rising ? 1 : -1)).slice(0, limit);
    }
    return best;
  }
  const tenant = tenantNumber(connection, scope.tenantId);
  if (tenant === null) return [];
  const tiers = scope.tiers === undefined ? TIERS : TIERS.filter((tier) => scope.tiers?.includes(tier));
  const found = tiers.flatMap((tier) => inTier(connection, tier, tenant, scope.ageSinceBefore, asked));
  if (tiers.length > 1) found.sort((a, b) => (rising ? compareAges(a, b) : compareAges(b, a)));
  const within =
    until === null
      ? found
      : found.filter((row) => {
          const side = compareAges(row, { ageSince: until.value, row: until.row });
          return rising ? side < 0 : side > 0;
        });
  return within.slice(0, limit);
}

/**
 * Returns the number of artifacts in a tier (of one tenant) whose ageSince is strictly before `before`. Reads
 * the index only.
 */
export function countBefore(
  connection: Connection,
  tier: Tier,
  tenantId: string | undefined,
  before: number,
): number {
  const tenant = tenantNumber(connection, tenantId);
  if (tenant === null) return 0;
  const sql =
    tenant === undefined
      ? "SELECT count(*) FROM artifact INDEXED BY artifact_age WHERE tier = ? AND age_since < ?"
      : "SELECT count(*) FROM artifact INDEXED BY artifact_tenant_age WHERE tenant = ? AND tier = ? AND age_since < ?";
  const parameters = tenant === undefined ? [tierCode(tier), before] : [tenant, tierCode(tier), before];
  return connection.statement(sql).get(...parameters)?.[0] as number;
}

/** Returns the number of a tenant; undefined for all tenants, null where the tenant does not exist. */
function tenantNumber(connection: Connection, tenantId: string | undefined): number | null | undefined {
  if (tenantId === undefined) return undefined;
  return (
    (connection.statement("SELECT id FROM tenant WHERE name = ?").get(tenantId)?.[0] as number | undefined) ??
    null
  );
}

/**
 * Reads ties at the position with a separate statement. For a comparison of pairs SQLite would ignore the row
 * in the index, and read all artifacts of that instant: perhaps a million from one import.
 */
function inTier(
  connection: Connection,
  tier: Tier,
  tenant: number | undefined,
  before: number | undefined,
  { from, rising, limit }: AgeWalk,
): ArtifactRow[] {
  const scope = tenant === undefined ? [tierCode(tier)] : [tenant, tierCode(tier)];
  const [beyond, direction] = rising ? [">", ""] : ["<", " DESC"];
  const found: ArtifactRow[] = [];
  const take = (condition: string, parameters: number[]) => {
    if (found.length >= limit) return;
    const bound = before === undefined ? "" : " AND a.age_since < ?";
    const sql = `SELECT ${ARTIFACT_COLUMNS}
      FROM artifact a INDEXED BY ${tenant === undefined ? "artifact_age" : "artifact_tenant_age"}
        CROSS JOIN workflow w ON w.id = a.workflow CROSS JOIN tenant t ON t.id = w.tenant
      WHERE ${tenant === undefined ? "" : "a.tenant = ? AND "}a.tier = ?${condition}${bound}
      ORDER BY a.age_since${direction}, a.id${direction} LIMIT ?`;
    const bounds = before === undefined ? [] : [before];
    const rows = connection.statement(sql).all(...scope, ...parameters, ...bounds, limit - found.length);
    for (const cells of rows) found.push(artifactRow(cells));
  };
  if (from === null) {
    take("", []);
  } else {
    take(` AND a.age_since = ? AND a.id ${beyond} ?`, [from.value, from.row]);
    take(` AND a.age_since ${beyond} ?`, [from.value]);
  }
  return found;
}

function compareAges(
  a: { readonly ageSince: number; readonly row: number },
  b: { readonly ageSince: number; readonly row: number },
): number {
  return a.ageSince - b.ageSince || a.row - b.row;
}
