import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { TIERS, type Tier } from "@tierkeep/schema/domain/tiers";
import type { ArtifactOrder } from "@tierkeep/schema/services/artifacts";
import type {
  ArtifactPosition,
  ArtifactSelection,
  DueArtifact,
  DuePosition,
  PageWindow,
} from "../../catalog.ts";
import type { ArtifactRow } from "../../rows.ts";
import type { Connection } from "../connection.ts";
import { ARTIFACT_COLUMN_COUNT, ARTIFACT_COLUMNS, artifactRow } from "../rows/artifact-row.ts";
import { type AgePosition, ageOrderPage, countBefore } from "./age-order.ts";
import { defineMetadataMatches, isRising, scanCount, scanKeyOrder, scanValueOrder } from "./artifact-scan.ts";
import { keyOrderPage } from "./key-order.ts";
import { inOrder, type Walk, walk } from "./page-window.ts";
import { onSnapshot } from "./snapshot.ts";
import { inOneStep, runToEnd, type Steps } from "./steps.ts";
import { countOfTier, type UsageReads } from "./usage-reads.ts";

const WITH_KEY = "WHERE t.name = ? AND w.tenant = t.id AND w.name = ? AND a.workflow = w.id AND a.name = ?";

const BY_KEY = `SELECT ${ARTIFACT_COLUMNS} FROM tenant t CROSS JOIN workflow w CROSS JOIN artifact a ${WITH_KEY}`;

const CONTENT_BY_KEY = `SELECT ${ARTIFACT_COLUMNS}, b.bytes FROM tenant t CROSS JOIN workflow w CROSS JOIN artifact a
  LEFT JOIN inline_bytes b ON b.seq = a.inline ${WITH_KEY}`;

const BY_KEYS = `SELECT ${ARTIFACT_COLUMNS}, k.key
  FROM json_each(?) k CROSS JOIN tenant t CROSS JOIN workflow w CROSS JOIN artifact a
  WHERE t.name = k.value ->> 0 AND w.tenant = t.id AND w.name = k.value ->> 1
    AND a.workflow = w.id AND a.name = k.value ->> 2`;

/** Number of index entries that can be counted in the time of scanning one row. */
const INDEXED_ROWS = 20;

/** Reads artifacts on one connection. */
export class ArtifactReads {
  readonly #connection: Connection;
  readonly #held: UsageReads;

  constructor(connection: Connection, held: UsageReads) {
    this.#connection = connection;
    this.#held = held;
    defineMetadataMatches(connection);
  }

  artifact(key: ArtifactKey): ArtifactRow | null {
    const cells = this.#connection.statement(BY_KEY).get(key.tenantId, key.workflowId, key.artifactId);
    return cells === undefined ? null : artifactRow(cells);
  }

  /** One statement, whatever the number of keys. */
  artifacts(keys: readonly ArtifactKey[]): readonly (ArtifactRow | null)[] {
    const found: (ArtifactRow | null)[] = keys.map(() => null);
    if (keys.length === 0) return found;
    const wanted = JSON.stringify(keys.map((key) => [key.tenantId, key.workflowId, key.artifactId]));
    const rows = this.#connection.statement(BY_KEYS).all(wanted);
    for (const cells of rows) found[cells[ARTIFACT_COLUMN_COUNT] as number] = artifactRow(cells);
    return found;
  }

  content(key: ArtifactKey): { readonly row: ArtifactRow; readonly bytes: Uint8Array | null } | null {
    const cells = this.#connection
      .statement(CONTENT_BY_KEY)
      .get(key.tenantId, key.workflowId, key.artifactId);
    if (cells === undefined) return null;
    return { row: artifactRow(cells), bytes: cells[ARTIFACT_COLUMN_COUNT] as Uint8Array | null };
  }

  listArtifacts(
    selection: ArtifactSelection,
    order: ArtifactOrder,
    window: PageWindow<ArtifactPosition>,
  ): readonly ArtifactRow[] {
    return runToEnd(this.#connection, this.listInSteps(selection, order, window));
  }

  *listInSteps(
    selection: ArtifactSelection,
    order: ArtifactOrder,
    window: PageWindow<ArtifactPosition>,
  ): Steps<readonly ArtifactRow[]> {
    if (order.field === "KEY") {
      const asked = walk(keyWindow(window, order.direction === "DESC"));
      const read = (one: ArtifactSelection, part: Walk<ArtifactKey>) =>
        isKeyIndexed(selection)
          ? inOneStep(() => keyOrderPage(this.#connection, one, part))
          : scanKeyOrder(this.#connection, one, part);
      const found =
        selection.tenants === undefined
          ? yield* read(selection, asked)
          : yield* this.#tenantByTenant(selection, asked, read);
      return inOrder(found, order.direction === "DESC");
    }
    const asked = walk(valueWindow(window));
    if (order.field !== "AGE" || !isAgeIndexed(selection)) {
      return yield* scanValueOrder(this.#connection, selection, { ...order, field: order.field }, asked);
    }
    const rising = isRising(order) !== asked.backward;
    const found = onSnapshot(this.#connection, () =>
      ageOrderPage(this.#connection, selection, { ...asked, rising }),
    );
    return inOrder(found, asked.backward);
  }

  /** In KEY order tenants follow each other: reads only tenants with artifacts, up to the limit. */
  *#tenantByTenant(
    { tenants = [], ...rest }: ArtifactSelection,
    asked: Walk<ArtifactKey>,
    read: (one: ArtifactSelection, asked: Walk<ArtifactKey>) => Steps<readonly ArtifactRow[]>,
  ): Steps<readonly ArtifactRow[]> {
    let found: readonly ArtifactRow[] = [];
    for (const tenantId of inOrder(this.#held.holding(tenants), asked.backward)) {
      const limit = asked.limit - found.length;
      if (limit === 0) break;
      const more = yield* read({ ...rest, tenantId }, { ...asked, limit });
      found = asked.backward ? [...more, ...found] : [...found, ...more];
    }
    return found;
  }

  countArtifacts(selection: ArtifactSelection): number {
    return runToEnd(this.#connection, this.countInSteps(selection));
  }

  *countInSteps(selection: ArtifactSelection): Steps<number> {
    const { tenantId, workflowId, tiers = TIERS, ageSinceBefore } = selection;
    const tenants = selection.tenants ?? (tenantId === undefined ? undefined : [tenantId]);
    if (isCounted(selection)) {
      const held =
        tenants === undefined
          ? [this.#held.held()]
          : workflowId === undefined
            ? this.#held.usageByTenants(tenants)
            : this.#held.usageByWorkflows(tenants.map((one) => ({ tenantId: one, workflowId })));
      return sum(held.map((each) => countOfTier(each, tiers)));
    }
    if (!isAgeIndexed(selection) || ageSinceBefore === undefined)
      return yield* scanCount(this.#connection, selection);
    let count = 0;
    for (const tenant of tenants ?? [undefined]) {
      for (const tier of TIERS.filter((each) => tiers.includes(each))) {
        const counted = countBefore(this.#connection, tier, tenant, ageSinceBefore);
        count += counted;
        // Reads only the index.
        yield Math.ceil(counted / INDEXED_ROWS);
      }
    }
    return count;
  }

  due(
    tier: Tier,
    tenantId: string | null,
    before: number,
    after: DuePosition | null,
    limit: number,
  ): readonly DueArtifact[] {
    const from = after === null ? null : { value: after.ageSince, row: after.row };
    const scope = { tiers: [tier], tenantId: tenantId ?? undefined, ageSinceBefore: before };
    return onSnapshot(this.#connection, () =>
      ageOrderPage(this.#connection, scope, { from, until: null, rising: true, limit }),
    ).map((artifact) => ({ artifact, position: { ageSince: artifact.ageSince, row: artifact.row } }));
  }

  countDue(tier: Tier, tenantId: string | null, before: number): number {
    return countBefore(this.#connection, tier, tenantId ?? undefined, before);
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** Returns true if a page in this order is read directly from an index. */
export function isIndexed(selection: ArtifactSelection, order: ArtifactOrder): boolean {
  if (order.field === "KEY") return isKeyIndexed(selection);
  return order.field === "AGE" && isAgeIndexed(selection) && selection.tenants === undefined;
}

/** Returns true if the count is a stored counter. */
export function isCounted(selection: ArtifactSelection): boolean {
  return (
    (selection.workflowId === undefined || isWithinTenants(selection)) &&
    (selection.artifactIdPrefix ?? "") === "" &&
    selection.ageSinceBefore === undefined &&
    selection.metadata === undefined
  );
}

function isWithinTenants({ tenantId, tenants }: ArtifactSelection): boolean {
  return tenantId !== undefined || tenants !== undefined;
}

function isKeyIndexed(selection: ArtifactSelection): boolean {
  const { workflowId, artifactIdPrefix } = selection;
  return (
    (workflowId === undefined || isWithinTenants(selection)) &&
    ((artifactIdPrefix ?? "") === "" || workflowId !== undefined) &&
    selection.tiers === undefined &&
    selection.ageSinceBefore === undefined &&
    selection.metadata === undefined
  );
}

function isAgeIndexed(selection: ArtifactSelection): boolean {
  return (
    selection.workflowId === undefined &&
    (selection.artifactIdPrefix ?? "") === "" &&
    selection.metadata === undefined
  );
}

/** Returns the page window in ascending order of keys, whatever the list's direction. */
function keyWindow(
  { after, before, limit, backward }: PageWindow<ArtifactPosition>,
  falling: boolean,
): PageWindow<ArtifactKey> {
  const [low, high] = falling ? [before, after] : [after, before];
  return { after: positionKey(low), before: positionKey(high), limit, backward: backward !== falling };
}

function valueWindow({
  after,
  before,
  limit,
  backward,
}: PageWindow<ArtifactPosition>): PageWindow<AgePosition> {
  return { after: positionValue(after), before: positionValue(before), limit, backward };
}

function positionKey(position: ArtifactPosition | null): ArtifactKey | null {
  if (position === null) return null;
  if (!("key" in position)) throw new Error("Positions in a list in KEY order must be keys.");
  return position.key;
}

function positionValue(position: ArtifactPosition | null): AgePosition | null {
  if (position === null) return null;
  if (!("value" in position)) throw new Error("Positions in a list in order of a value must be values.");
  return position;
}
