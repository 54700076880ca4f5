import { keepMetadataText, type Metadata, metadataText } from "@tierkeep/schema/domain/metadata";
import type { ArtifactRow } from "../../rows.ts";
import type { Cell } from "../connection.ts";
import { tierName } from "./codes.ts";

/**
 * Columns of artifact a with the names of its workflow w and tenant t, in the order that `artifactRow` reads.
 */
export const ARTIFACT_COLUMNS = `a.id, t.name, w.name, a.name, a.tier, a.size_bytes, a.checksum, a.content_type, a.metadata,
  a.created_at, a.modified_at, a.promoted_at, a.promoted_from, a.age_since, a.version, a.object, a.store, a.inline, a.damaged_at`;

export const ARTIFACT_COLUMN_COUNT = 19;

const INLINE = 17;

/** Metadata with longer JSON than this stays text until it is read. */
const PARSED_AT_ONCE = 1024;

const NONE: Metadata = {};

/** Reads ARTIFACT_COLUMNS from position `at` of a row. */
export function artifactRow(cells: readonly Cell[], at = 0): ArtifactRow {
  const json = cells[at + 8] as string;
  if (json === "{}") return rowOf(cells, at, {});
  return json.length > PARSED_AT_ONCE
    ? withMetadataText(rowOf(cells, at, NONE), json)
    : rowOf(cells, at, JSON.parse(json) as Metadata);
}

function rowOf(cells: readonly Cell[], at: number, metadata: Metadata): ArtifactRow {
  const promotedFrom = cells[at + 12] as number | null;
  return {
    row: cells[at] as number,
    tenantId: cells[at + 1] as string,
    workflowId: cells[at + 2] as string,
    artifactId: cells[at + 3] as string,
    tier: tierName(cells[at + 4] as number),
    sizeBytes: cells[at + 5] as number,
    checksum: cells[at + 6] as string,
    contentType: cells[at + 7] as string,
    metadata,
    createdAt: cells[at + 9] as number,
    modifiedAt: cells[at + 10] as number,
    promotedAt: cells[at + 11] as number | null,
    promotedFrom: promotedFrom === null ? null : tierName(promotedFrom),
    ageSince: cells[at + 13] as number,
    version: cells[at + 14] as number,
    object: cells[at + 15] as string,
    store: cells[at + 16] as string,
    inline: cells[at + INLINE] !== null,
    damagedAt: cells[at + 18] as number | null,
  };
}

/**
 * Returns the row with metadata that is parsed on each access: few callers read it, and parsed metadata takes
 * several times the memory.
 */
function withMetadataText(row: ArtifactRow, json: string): ArtifactRow {
  Object.defineProperty(row, "metadata", { enumerable: true, get: () => JSON.parse(json) as Metadata });
  keepMetadataText(row, { json, bytes: Buffer.byteLength(json) });
  return row;
}

/** A row as sent to another thread. */
export interface SentRow {
  /** Without its metadata where `json` has it. */
  readonly row: ArtifactRow;
  readonly json: string | null;
}

/** Sends metadata that is text as text, so it is not parsed on the way. */
export function sentRow(row: ArtifactRow): SentRow {
  const text = metadataText(row);
  if (text === undefined) return { row, json: null };
  const facts = Object.keys(row).map((name) => [
    name,
    name === "metadata" ? NONE : row[name as keyof ArtifactRow],
  ]);
  return { row: Object.fromEntries(facts) as ArtifactRow, json: text.json };
}

export function receivedRow({ row, json }: SentRow): ArtifactRow {
  return json === null ? row : withMetadataText(row, json);
}

/** Returns the seq of the row in inline_bytes; null: the content is not inline. */
export function inlineSeq(cells: readonly Cell[]): number | null {
  return cells[INLINE] as number | null;
}
