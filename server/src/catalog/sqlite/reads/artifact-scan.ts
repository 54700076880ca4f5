import { type ArtifactKey, compareKeys } from "@tierkeep/schema/domain/keys";
import type { Metadata } from "@tierkeep/schema/domain/metadata";
import type { ArtifactOrder } from "@tierkeep/schema/services/artifacts";
import type { ArtifactSelection } from "../../catalog.ts";
import type { ArtifactRow } from "../../rows.ts";
import type { Cell, Connection } from "../connection.ts";
import { ARTIFACT_COLUMNS, artifactRow } from "../rows/artifact-row.ts";
import { tierCode } from "../rows/codes.ts";
import type { AgePosition } from "./age-order.ts";
import { type ArtifactRange, keyRanges, RangeSize, rowRanges } from "./artifact-ranges.ts";
import { prefixEnd, startWithin } from "./key-order.ts";
import { metadataMatches } from "./metadata-match.ts";
import { inOrder, type Walk } from "./page-window.ts";
import type { Steps } from "./steps.ts";

type OtherField = Exclude<ArtifactOrder["field"], "KEY">;

const FIELD_COLUMNS: Record<OtherField, string> = {
  AGE: "a.age_since",
  CREATED_AT: "a.created_at",
  MODIFIED_AT: "a.modified_at",
  SIZE: "a.size_bytes",
};

const FIELD_VALUES: Record<OtherField, (row: ArtifactRow) => number> = {
  AGE: (row) => row.ageSince,
  CREATED_AT: (row) => row.createdAt,
  MODIFIED_AT: (row) => row.modifiedAt,
  SIZE: (row) => row.sizeBytes,
};

/**
 * Returns whether the list's column ascends. AGE ascending lists the youngest first, so ageSince descends.
 */
export function isRising(order: ArtifactOrder): boolean {
  return (order.direction === "ASC") === (order.field !== "AGE");
}

/** Defines the SQL function that matches metadata; once per connection that scans. */
export function defineMetadataMatches(connection: Connection): void {
  let text = "";
  let wanted: Metadata = {};
  connection.define("metadata_matches", (metadata: Cell, wantedText: Cell) => {
    if (wantedText !== text) {
      text = wantedText as string;
      wanted = JSON.parse(text) as Metadata;
    }
    return metadataMatches(JSON.parse(metadata as string) as Metadata, wanted) ? 1 : 0;
  });
}

/** KEY order with filters: reads ranges in order of keys until the page is full. */
export function* scanKeyOrder(
  connection: Connection,
  selection: ArtifactSelection,
  asked: Walk<ArtifactKey>,
): Steps<readonly ArtifactRow[]> {
  const { backward, limit, until } = asked;
  const from = startWithin(selection, asked);
  if (from === "nothing") return [];
  const filter = filterOf(selection);
  const found: ArtifactRow[] = [];
  const size = new RangeSize();
  for (const range of keyRanges(connection, selection, from, backward, size.next)) {
    if (found.length >= limit) break;
    const tail = `ORDER BY a.name${backward ? " DESC" : ""} LIMIT ?`;
    const more = timed(size, () =>
      rows(connection, "artifact_key", range, filter, tail, [limit - found.length]),
    );
    found.push(...more);
    yield range.rows;
    const last = found.at(-1);
    if (until !== null && last !== undefined && compareKeys(last, until) * (backward ? -1 : 1) >= 0) break;
  }
  const within =
    until === null ? found : found.filter((row) => compareKeys(row, until) * (backward ? -1 : 1) < 0);
  return inOrder(within, backward);
}

/**
 * Any other order: merges the first rows of each range into the best page so far, so memory is limited to two
 * pages.
 */
export function* scanValueOrder(
  connection: Connection,
  selection: ArtifactSelection,
  order: ArtifactOrder & { readonly field: OtherField },
  asked: Walk<AgePosition>,
): Steps<readonly ArtifactRow[]> {
  const { backward, limit, from, until } = asked;
  if (limit === 0) return [];
  const rising = isRising(order) !== backward;
  const [beyond, before, direction] = rising ? [">", "<", ""] : ["<", ">", " DESC"];
  const column = FIELD_COLUMNS[order.field];
  const filter = filterOf(selection);
  const position = (operator: string, at: AgePosition | null) => {
    if (at === null) return;
    filter.condition += ` AND (${column}, a.id) ${operator} (?, ?)`;
    filter.parameters.push(at.value, at.row);
  };
  position(beyond, from);
  position(before, until);
  const value = FIELD_VALUES[order.field];
  const compare = (a: ArtifactRow, b: ArtifactRow) =>
    (value(a) - value(b) || a.row - b.row) * (rising ? 1 : -1);
  let best: ArtifactRow[] = [];
  const size = new RangeSize();
  for (const { range, index } of ranges(connection, selection, size)) {
    const tail = `ORDER BY ${column}${direction}, a.id${direction} LIMIT ?`;
    const more = timed(size, () => rows(connection, index, range, filter, tail, [limit]));
    if (more.length > 0) best = [...best, ...more].sort(compare).slice(0, limit);
    yield range.rows;
  }
  return inOrder(best, backward);
}

export function* scanCount(connection: Connection, selection: ArtifactSelection): Steps<number> {
  const filter = filterOf(selection);
  let count = 0;
  const size = new RangeSize();
  for (const { range, index } of ranges(connection, selection, size)) {
    const sql = `SELECT count(*) FROM artifact a ${index === null ? "NOT INDEXED" : `INDEXED BY ${index}`}
      WHERE ${range.condition}${filter.condition}`;
    count += timed(
      size,
      () => connection.statement(sql).get(...range.parameters, ...filter.parameters)?.[0] as number,
    );
    yield range.rows;
  }
  return count;
}

function timed<T>(size: RangeSize, read: () => T): T {
  const began = performance.now();
  const found = read();
  size.took(performance.now() - began);
  return found;
}

function* ranges(
  connection: Connection,
  { tenants, ...selection }: ArtifactSelection,
  size: RangeSize,
): Generator<{
  readonly range: ArtifactRange;
  readonly index: string | null;
}> {
  if (tenants !== undefined) {
    for (const tenantId of tenants) yield* ranges(connection, { ...selection, tenantId }, size);
  } else if (selection.tenantId === undefined && selection.workflowId === undefined) {
    for (const range of rowRanges(connection, size.next)) yield { range, index: null };
  } else {
    for (const range of keyRanges(connection, selection, null, false, size.next))
      yield { range, index: "artifact_key" };
  }
}

function rows(
  connection: Connection,
  index: string | null,
  range: ArtifactRange,
  filter: Filter,
  tail: string,
  parameters: number[],
): ArtifactRow[] {
  const sql = `SELECT ${ARTIFACT_COLUMNS} FROM artifact a ${index === null ? "NOT INDEXED" : `INDEXED BY ${index}`}
      CROSS JOIN workflow w ON w.id = a.workflow CROSS JOIN tenant t ON t.id = w.tenant
    WHERE ${range.condition}${filter.condition} ${tail}`;
  return connection
    .statement(sql)
    .all(...range.parameters, ...filter.parameters, ...parameters)
    .map((cells) => artifactRow(cells));
}

interface Filter {
  condition: string;
  readonly parameters: (string | number)[];
}

/** Returns the conditions of a selection except tenant and workflow, cheapest first. */
function filterOf(selection: ArtifactSelection): Filter {
  const conditions: string[] = [];
  const parameters: (string | number)[] = [];
  if (selection.tiers !== undefined) {
    const codes = selection.tiers.map(tierCode);
    conditions.push(codes.length === 0 ? "0" : `a.tier IN (${codes.join(", ")})`);
  }
  if (selection.ageSinceBefore !== undefined) {
    conditions.push("a.age_since < ?");
    parameters.push(selection.ageSinceBefore);
  }
  const prefix = selection.artifactIdPrefix ?? "";
  if (prefix !== "") {
    conditions.push("a.name >= ?");
    parameters.push(prefix);
    const end = prefixEnd(prefix);
    if (end !== null) {
      conditions.push("a.name < ?");
      parameters.push(end);
    }
  }
  if (selection.metadata !== undefined) {
    conditions.push("metadata_matches(a.metadata, ?)");
    parameters.push(JSON.stringify(selection.metadata));
  }
  return { condition: conditions.map((condition) => ` AND ${condition}`).join(""), parameters };
}
