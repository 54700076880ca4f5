import type { ArtifactRow } from "../catalog/rows.ts";

/** Longer sidecars are not indented: indenting deeply nested metadata multiplies its size. */
const MAX_INDENTED_LENGTH = 4096;

/**
 * Returns the sidecar of an artifact: the client's metadata, and the facts from which a lost catalog is
 * rebuilt. Their keys start with `_`, which keys of metadata cannot.
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
