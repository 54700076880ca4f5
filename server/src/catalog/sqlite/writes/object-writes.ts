import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { GarbageRecord, Misplaced, StagedObject, Unpublished } from "../../records.ts";
import type { ExportState, ObjectId } from "../../rows.ts";
import type {
  AbandonOrphanedChange,
  CollectedChange,
  PublishedChange,
  SettledChange,
  StageChange,
} from "../../upkeep-changes.ts";
import type { Connection } from "../connection.ts";
import type { Names } from "./names.ts";
import type { UsageCounters } from "./usage-counters.ts";

/** Writes staged and garbage objects, and the work that is left after a commit, for a writer. */
export class ObjectWrites {
  readonly #connection: Connection;
  readonly #names: Names;
  readonly #usage: UsageCounters;

  constructor(connection: Connection, names: Names, usage: UsageCounters) {
    this.#connection = connection;
    this.#names = names;
    this.#usage = usage;
  }

  staged(object: ObjectId): StagedObject | null {
    const row = this.#connection
      .statement("SELECT store, owner, at, found FROM staged WHERE object = ?")
      .get(object);
    if (row === undefined) return null;
    return {
      store: row[0] as string,
      owner: row[1] as string,
      at: row[2] as number,
      found: row[3] === 1,
    };
  }

  stage(change: StageChange): number {
    return this.#connection
      .statement("INSERT INTO staged (object, store, owner, at) VALUES (?, ?, ?, ?)")
      .run(change.object, change.store, change.owner, change.at);
  }

  putStaged(object: ObjectId, { store, owner, at, found }: StagedObject): void {
    this.#connection
      .statement(
        `INSERT INTO staged (object, store, owner, at, found) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (object) DO UPDATE SET owner = excluded.owner`,
      )
      .run(object, store, owner, at, found ? 1 : 0);
  }

  garbage(object: ObjectId): GarbageRecord | null {
    const row = this.#connection
      .statement(
        `SELECT g.store, g.not_before, t.name, w.name, g.name FROM garbage g
           LEFT JOIN workflow w ON w.id = g.workflow LEFT JOIN tenant t ON t.id = w.tenant WHERE g.object = ?`,
      )
      .get(object);
    if (row === undefined) return null;
    const [store, since, tenantId, workflowId, artifactId] = row as [string, number, string, string, string];
    return { store, since, artifact: tenantId === null ? null : { tenantId, workflowId, artifactId } };
  }

  putGarbage(object: ObjectId, { store, since, artifact }: GarbageRecord): void {
    const workflow = artifact && this.#names.workflow(artifact.tenantId, artifact.workflowId);
    this.#connection
      .statement("INSERT INTO garbage (object, store, not_before, workflow, name) VALUES (?, ?, ?, ?, ?)")
      .run(object, store, since, workflow?.id ?? null, artifact?.artifactId ?? null);
  }

  deleteStaged(object: ObjectId): void {
    this.#connection.statement("DELETE FROM staged WHERE object = ?").run(object);
  }

  putUnpublished({ tenantId, workflowId, artifactId }: ArtifactKey, { version }: Unpublished): void {
    this.#connection
      .statement(
        `INSERT INTO dirty (version, workflow, name) VALUES (?, ?, ?)
         ON CONFLICT (workflow, name) DO UPDATE SET version = excluded.version`,
      )
      .run(version, this.#names.workflow(tenantId, workflowId).id, artifactId);
  }

  unpublished({ tenantId, workflowId, artifactId }: ArtifactKey): Unpublished | null {
    const workflow = this.#names.findWorkflow(tenantId, workflowId);
    if (workflow === null) return null;
    const row = this.#connection
      .statement("SELECT version FROM dirty WHERE workflow = ? AND name = ?")
      .get(workflow.id, artifactId);
    return row === undefined ? null : { version: row[0] as number };
  }

  putMisplaced({ tenantId, workflowId, artifactId }: ArtifactKey, { since }: Misplaced): void {
    this.#connection
      .statement(
        `INSERT INTO misplaced (workflow, name, since) VALUES (?, ?, ?)
         ON CONFLICT (workflow, name) DO UPDATE SET since = excluded.since`,
      )
      .run(this.#names.workflow(tenantId, workflowId).id, artifactId, since);
  }

  deleteMisplaced({ tenantId, workflowId, artifactId }: ArtifactKey): void {
    const workflow = this.#names.findWorkflow(tenantId, workflowId);
    if (workflow === null) return;
    this.#connection
      .statement("DELETE FROM misplaced WHERE workflow = ? AND name = ?")
      .run(workflow.id, artifactId);
  }

  abandonOrphaned(change: AbandonOrphanedChange): number {
    const orphaned = this.#connection
      .statement("SELECT object, store, found FROM staged WHERE owner <> ? LIMIT ?")
      .all(change.owner, change.limit);
    for (const [object, store, found] of orphaned) {
      this.deleteStaged(object as string);
      if (found === 0)
        this.putGarbage(object as string, { store: store as string, since: change.at, artifact: null });
    }
    return orphaned.length;
  }

  /** Drops the inline content, which is now in its object. The version stays. */
  settled({ key, object }: SettledChange): number {
    const workflow = this.#names.findWorkflow(key.tenantId, key.workflowId);
    if (workflow === null) return 0;
    const row = this.#connection
      .statement(
        `SELECT id, inline, size_bytes FROM artifact INDEXED BY artifact_key
         WHERE workflow = ? AND name = ? AND object = ? AND inline IS NOT NULL`,
      )
      .get(workflow.id, key.artifactId, object);
    if (row === undefined) return 0;
    const [id, inline, sizeBytes] = row as [number, number, number];
    this.#connection.statement("UPDATE artifact SET inline = NULL WHERE id = ?").run(id);
    this.#connection.statement("DELETE FROM inline_bytes WHERE seq = ?").run(inline);
    this.#usage.addUnsettled(-1, sizeBytes);
    return 1;
  }

  published(change: PublishedChange): number {
    const { tenantId, workflowId, artifactId } = change.key;
    const workflow = this.#names.findWorkflow(tenantId, workflowId);
    if (workflow === null) return 0;
    return this.#connection
      .statement("DELETE FROM dirty WHERE workflow = ? AND name = ? AND version = ?")
      .run(workflow.id, artifactId, change.version);
  }

  collected(change: CollectedChange): number {
    return this.#connection.statement("DELETE FROM garbage WHERE object = ?").run(change.object);
  }

  putExporter(state: ExportState): void {
    this.#connection
      .statement(
        `INSERT INTO export_state VALUES (1, ?, ?, ?, ?) ON CONFLICT (id)
         DO UPDATE SET file = excluded.file, offset = excluded.offset, seq = excluded.seq, tail_hash = excluded.tail_hash`,
      )
      .run(state.file, state.offset, state.seq, state.head);
  }
}
