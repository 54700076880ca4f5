import type { ArtifactRow } from "../catalog/rows.ts";

/** Longer ones are for machines: indenting deeply nested metadata multiplies its size. */
const MAX_INDENTED_LENGTH = 4096;

/**
 * The sidecar of an artifact: the writer's metadata, and the facts that a lost catalog is rebuilt from under keys that
 * start with `_`, which a writer's metadata cannot hold.
 */
export function sidecarOf(row: ArtifactRow): Uint8Array {
  const facts = {
    ...row.metadata,
    _created_at: new Date(row.createdAt).toISOString(),
    _modified_at: new Date(row.modifiedAt).toISOString(),
    _checksum: row.checksum,
    _size_bytes: row.sizeBytes,
    _content_type: row.contentType,
    _version: row.version,
    _age_since: new Date(row.ageSince).toISOString(),
    _object: row.object,
  };
  const compact = JSON.stringify(facts);
  const text = compact.length > MAX_INDENTED_LENGTH ? compact : JSON.stringify(facts, null, 2);
  return new TextEncoder().encode(`${text}\n`);
}
