import { type ArtifactKey, keyText } from "@tierkeep/schema/domain/keys";
import type { ArtifactFacts, InlineContent } from "../../records.ts";
import type { ArtifactRow, ObjectId } from "../../rows.ts";
import type { Connection } from "../connection.ts";
import { ARTIFACT_COLUMNS, artifactRow, inlineSeq } from "../rows/artifact-row.ts";
import { tierCode } from "../rows/codes.ts";
import type { Names } from "./names.ts";
import type { UsageCounters } from "./usage-counters.ts";

/** The names are known from the key, so they are not looked up. */
const ARTIFACT = `SELECT ${ARTIFACT_COLUMNS.replace("t.name, w.name", "?, ?")}
  FROM artifact a INDEXED BY artifact_key WHERE a.workflow = ? AND a.name = ?`;

/** The same without the metadata, which may be long. */
const FACTS = ARTIFACT.replace("a.metadata", "'{}'");

/** The stored row of an artifact, with what only the driver knows about it. */
interface StoredRow {
  readonly row: ArtifactRow;
  /** Seq of its inline content; null: the content is not inline. */
  readonly inline: number | null;
}

/** Reads and writes artifacts and their inline content, for a writer. Only loaded artifacts can be changed. */
export class ArtifactWrites {
  readonly #connection: Connection;
  readonly #names: Names;
  readonly #usage: UsageCounters;
  /** The stored rows of the artifacts that were loaded last, by their keys. */
  readonly #stored = new Map<string, StoredRow | null>();
  /** The same rows by their objects, where their content is inline. */
  readonly #inline = new Map<ObjectId, StoredRow>();

  constructor(connection: Connection, names: Names, usage: UsageCounters) {
    this.#connection = connection;
    this.#names = names;
    this.#usage = usage;
  }

  /** Forgets the loaded artifacts. */
  clear(): void {
    this.#stored.clear();
    this.#inline.clear();
  }

  artifact(key: ArtifactKey): ArtifactRow | null {
    return this.#row(key, ARTIFACT);
  }

  facts(key: ArtifactKey): ArtifactFacts | null {
    return this.#row(key, FACTS);
  }

  /** Stores a row; facts alone keep their object. `content`: new inline content; null: none. */
  put(key: ArtifactKey, row: ArtifactFacts, content: InlineContent | null): void {
    const stored = this.#storedRow(key);
    if (content !== null) {
      this.#connection
        .statement("INSERT INTO inline_bytes VALUES (?, ?, ?, ?)")
        .run(row.version, row.row, content.sizeBytes, content.bytes);
      this.#usage.addUnsettled(1, content.sizeBytes);
    }
    if (stored === null) this.#insert(row as ArtifactRow, content !== null);
    else if (row.object === stored.row.object) this.#move(row);
    else this.#replace(row as ArtifactRow, content !== null);
  }

  delete(key: ArtifactKey): void {
    const row = this.#storedRow(key)?.row.row ?? null;
    this.#connection.statement("DELETE FROM artifact WHERE id = ?").run(row);
  }

  /** Deletes the inline content of a loaded artifact, if it has any. */
  deleteInline(object: ObjectId): void {
    const stored = this.#inline.get(object);
    if (stored === undefined) return;
    this.#connection.statement("DELETE FROM inline_bytes WHERE seq = ?").run(stored.inline);
    this.#usage.addUnsettled(-1, stored.row.sizeBytes);
  }

  #insert(row: ArtifactRow, inline: boolean): void {
    const workflow = this.#names.workflow(row.tenantId, row.workflowId);
    this.#connection
      .statement(
        `INSERT INTO artifact (id, tenant, workflow, name, tier, size_bytes, created_at, modified_at, promoted_at,
           promoted_from, age_since, version, inline, checksum, object, store, content_type, metadata)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        row.row,
        workflow.tenant.id,
        workflow.id,
        row.artifactId,
        ...factCells(row),
        row.version,
        inline ? row.version : null,
        ...contentCells(row),
      );
  }

  /** New content. */
  #replace(row: ArtifactRow, inline: boolean): void {
    this.#connection
      .statement(
        `UPDATE artifact SET tier = ?, size_bytes = ?, created_at = ?, modified_at = ?, promoted_at = ?, promoted_from = ?,
           age_since = ?, version = ?, inline = ?, checksum = ?, object = ?, store = ?, content_type = ?, metadata = ?,
           damaged_at = NULL WHERE id = ?`,
      )
      .run(...factCells(row), row.version, inline ? row.version : null, ...contentCells(row), row.row);
  }

  /** The content stays where it is. */
  #move(row: ArtifactFacts): void {
    this.#connection
      .statement(
        "UPDATE artifact SET tier = ?, promoted_at = ?, promoted_from = ?, age_since = ?, damaged_at = ?, version = ? WHERE id = ?",
      )
      .run(
        tierCode(row.tier),
        row.promotedAt,
        row.promotedFrom === null ? null : tierCode(row.promotedFrom),
        row.ageSince,
        row.damagedAt,
        row.version,
        row.row,
      );
  }

  #row(key: ArtifactKey, sql: string): ArtifactRow | null {
    const workflow = this.#names.findWorkflow(key.tenantId, key.workflowId);
    const cells =
      workflow === null
        ? undefined
        : this.#connection.statement(sql).get(key.tenantId, key.workflowId, workflow.id, key.artifactId);
    const stored = cells === undefined ? null : { row: artifactRow(cells), inline: inlineSeq(cells) };
    this.#stored.set(keyText(key), stored);
    if (stored !== null && stored.inline !== null) this.#inline.set(stored.row.object, stored);
    return stored === null ? null : stored.row;
  }

  #storedRow(key: ArtifactKey): StoredRow | null {
    const stored = this.#stored.get(keyText(key));
    if (stored === undefined) throw new Error("An artifact is changed that was not loaded.");
    return stored;
  }
}

function factCells(row: ArtifactFacts) {
  return [
    tierCode(row.tier),
    row.sizeBytes,
    row.createdAt,
    row.modifiedAt,
    row.promotedAt,
    row.promotedFrom === null ? null : tierCode(row.promotedFrom),
    row.ageSince,
  ] as const;
}

function contentCells(row: ArtifactRow) {
  return [row.checksum, row.object, row.store, row.contentType, JSON.stringify(row.metadata)] as const;
}
