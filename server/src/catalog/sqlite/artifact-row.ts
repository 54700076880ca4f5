import type { Metadata } from "@tierkeep/schema/domain/metadata";
import type { ArtifactRow } from "../rows.ts";
import { tierName } from "./codes.ts";
import type { Cell } from "./connection.ts";

/** Columns of an artifact with its names, in the order that `artifactRow` reads: of artifact a, workflow w, tenant t. */
export const ARTIFACT_COLUMNS = `a.id, t.name, w.name, a.name, a.tier, a.size_bytes, a.checksum, a.content_type, a.metadata,
  a.created_at, a.modified_at, a.promoted_at, a.promoted_from, a.age_since, a.version, a.object, a.store, a.inline, a.damaged_at`;

export const ARTIFACT_COLUMN_COUNT = 19;

const INLINE = 17;

/** Reads ARTIFACT_COLUMNS from position `at` of a row. */
export function artifactRow(cells: readonly Cell[], at = 0): ArtifactRow {
  const promotedFrom = cells[at + 12] as number | null;
  const metadata = cells[at + 8] as string;
  return {
    row: cells[at] as number,
    tenantId: cells[at + 1] as string,
    workflowId: cells[at + 2] as string,
    artifactId: cells[at + 3] as string,
    tier: tierName(cells[at + 4] as number),
    sizeBytes: cells[at + 5] as number,
    checksum: cells[at + 6] as string,
    contentType: cells[at + 7] as string,
    metadata: metadata === "{}" ? {} : (JSON.parse(metadata) as Metadata),
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

/** Where the bytes ride: seq of their row in inline_bytes; null: nowhere. */
export function inlineSeq(cells: readonly Cell[]): number | null {
  return cells[INLINE] as number | null;
}
