import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { GarbageRecord, StagedObject } from "../../records.ts";
import type { ExportState, ObjectId } from "../../rows.ts";
import type {
  AbandonOrphanedChange,
  CollectedChange,
  PublishedChange,
  StageChange,
} from "../../upkeep-changes.ts";
import type { Connection } from "../connection.ts";
import type { Names } from "./names.ts";

/** Writes staged and garbage objects, and the work that is left after a commit, for a writer. */
export class ObjectWrites {
  readonly #connection: Connection;
  readonly #names: Names;

  constructor(connection: Connection, names: Names) {
    this.#connection = connection;
    this.#names = names;
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

  stage(change: StageChange): null {
    this.#connection
      .statement("INSERT INTO staged (object, store, owner, at) VALUES (?, ?, ?, ?)")
      .run(change.object, change.store, change.owner, change.at);
    return null;
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

  /** Returns true if the key's view may differ from its row. */
  isDirty({ tenantId, workflowId, artifactId }: ArtifactKey): boolean {
    const workflow = this.#names.findWorkflow(tenantId, workflowId);
    if (workflow === null) return false;
    const sql = "SELECT 1 FROM dirty WHERE workflow = ? AND name = ?";
    return this.#connection.statement(sql).get(workflow.id, artifactId) !== undefined;
  }

  abandonOrphaned(change: AbandonOrphanedChange): number {
    const orphaned = this.#connection
      .statement("SELECT object, store, found FROM staged WHERE owner <> ? LIMIT ?")
      .all(change.owner, change.limit);
    for (const [object, store, found] of orphaned) {
      this.#connection.statement("DELETE FROM staged WHERE object = ?").run(object as string);
      if (found === 0) this.#toGarbage(object as string, store as string, change.at);
    }
    return orphaned.length;
  }

  published(change: PublishedChange): null {
    const { tenantId, workflowId, artifactId } = change.key;
    const workflow = this.#names.findWorkflow(tenantId, workflowId);
    if (workflow === null) return null;
    this.#connection
      .statement("DELETE FROM dirty WHERE workflow = ? AND name = ? AND version = ?")
      .run(workflow.id, artifactId, change.version);
    return null;
  }

  collected(change: CollectedChange): null {
    this.#connection.statement("DELETE FROM garbage WHERE object = ?").run(change.object);
    return null;
  }

  putExporter(state: ExportState): void {
    this.#connection
      .statement(
        `INSERT INTO export_state VALUES (1, ?, ?, ?, ?) ON CONFLICT (id)
         DO UPDATE SET file = excluded.file, offset = excluded.offset, seq = excluded.seq, tail_hash = excluded.tail_hash`,
      )
      .run(state.file, state.offset, state.seq, state.head);
  }

  #toGarbage(object: ObjectId, store: string, notBefore: number): void {
    this.#connection
      .statement("INSERT INTO garbage (object, store, not_before) VALUES (?, ?, ?)")
      .run(object, store, notBefore);
  }
}
