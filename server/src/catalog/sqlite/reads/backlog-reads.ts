import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import type {
  DirtyKey,
  ExportState,
  GarbageObject,
  MisplacedKey,
  Overdue,
  StoreIds,
  UnsettledObject,
} from "../../rows.ts";
import type { Connection } from "../connection.ts";
import { ARTIFACT_COLUMN_COUNT, ARTIFACT_COLUMNS, artifactRow } from "../rows/artifact-row.ts";
import { tierCode } from "../rows/codes.ts";
import { onSnapshot } from "./snapshot.ts";

/** Limit for the bytes that `unsettled` returns; a single larger object is still returned. */
const UNSETTLED_BYTES = 8 * 1024 * 1024;

/** Rows that one statement reads in the search for unknown objects. */
const STRAY_ROWS = 50_000;

/** Reads the work that is left after commits, on one connection. */
export class BacklogReads {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  unsettled(store: string, limit: number): readonly UnsettledObject[] {
    return onSnapshot(this.#connection, () => {
      const sizes = this.#connection
        .statement(
          `SELECT b.seq, b.size_bytes FROM inline_bytes b CROSS JOIN artifact a ON a.id = b.artifact
           WHERE a.store = ? ORDER BY b.seq LIMIT ?`,
        )
        .all(store, limit) as unknown as readonly (readonly [number, number])[];
      let bytes = 0;
      const taken = sizes.filter(([, size], index) => {
        bytes += size;
        return index === 0 || bytes <= UNSETTLED_BYTES;
      });
      return this.#connection
        .statement(
          `SELECT t.name, w.name, a.name, a.object, a.store, a.modified_at, b.bytes
           FROM inline_bytes b CROSS JOIN artifact a ON a.id = b.artifact
             CROSS JOIN workflow w ON w.id = a.workflow CROSS JOIN tenant t ON t.id = w.tenant
           WHERE b.seq <= ? AND a.store = ? ORDER BY b.seq`,
        )
        .all(taken.at(-1)?.[0] ?? -1, store)
        .map((cells) => ({
          key: {
            tenantId: cells[0] as string,
            workflowId: cells[1] as string,
            artifactId: cells[2] as string,
          },
          object: cells[3] as string,
          store: cells[4] as string,
          modifiedAt: cells[5] as number,
          bytes: cells[6] as Uint8Array,
        }));
    });
  }

  unsettledTotal(): { readonly count: number; readonly bytes: number } {
    const row = this.#connection.statement("SELECT unsettled, unsettled_bytes FROM total").get();
    return { count: row?.[0] as number, bytes: row?.[1] as number };
  }

  dirtyKeys(stores: readonly string[], limit: number): readonly DirtyKey[] {
    const open = JSON.stringify(stores);
    return onSnapshot(this.#connection, () => {
      const rows = this.#connection
        .statement(
          `SELECT ${ARTIFACT_COLUMNS}, d.version, d.workflow, d.name
           FROM dirty d CROSS JOIN workflow w ON w.id = d.workflow CROSS JOIN tenant t ON t.id = w.tenant
             LEFT JOIN artifact a ON a.workflow = d.workflow AND a.name = d.name
           WHERE a.inline IS NULL AND (a.id IS NULL OR a.store IN (SELECT k.value FROM json_each(?) k))
             AND NOT EXISTS (SELECT 1 FROM garbage g INDEXED BY garbage_key
               WHERE g.workflow = d.workflow AND g.name = d.name
                 AND g.store NOT IN (SELECT k.value FROM json_each(?) k))
           ORDER BY d.version LIMIT ?`,
        )
        .all(open, open, limit);
      return rows.map((cells) => {
        const [version, workflow, name] = cells.slice(ARTIFACT_COLUMN_COUNT) as [number, number, string];
        return {
          key: { tenantId: cells[1] as string, workflowId: cells[2] as string, artifactId: name },
          version,
          row: cells[0] === null ? null : artifactRow(cells),
          garbage: this.#garbageOf(workflow, name),
        };
      });
    });
  }

  misplacedKeys(
    store: string,
    storeIds: StoreIds,
    stores: readonly string[],
    limit: number,
  ): readonly MisplacedKey[] {
    const tiers = TIERS.filter((tier) => storeIds[tier] === store).map(tierCode);
    return this.#connection
      .statement(
        `SELECT ${ARTIFACT_COLUMNS}, m.name
         FROM misplaced m INDEXED BY misplaced_since CROSS JOIN workflow w ON w.id = m.workflow
           CROSS JOIN tenant t ON t.id = w.tenant
           LEFT JOIN artifact a ON a.workflow = m.workflow AND a.name = m.name
         WHERE a.id IS NULL OR (a.inline IS NULL AND a.damaged_at IS NULL
           AND a.tier IN (SELECT k.value FROM json_each(?) k)
           AND a.store IN (SELECT k.value FROM json_each(?) k))
         ORDER BY m.since LIMIT ?`,
      )
      .all(JSON.stringify(tiers), JSON.stringify(stores), limit)
      .map((cells) => ({
        key: {
          tenantId: cells[1] as string,
          workflowId: cells[2] as string,
          artifactId: cells[ARTIFACT_COLUMN_COUNT] as string,
        },
        row: cells[0] === null ? null : artifactRow(cells),
      }));
  }

  misplacedCount(): number {
    return this.#connection.statement("SELECT count(*) FROM misplaced").get()?.[0] as number;
  }

  dirtyCount(): number {
    return this.#connection.statement("SELECT count(*) FROM dirty").get()?.[0] as number;
  }

  areDirty(keys: readonly ArtifactKey[]): readonly boolean[] {
    const statement = this.#connection.statement(
      `SELECT 1 FROM tenant t CROSS JOIN workflow w CROSS JOIN dirty d
       WHERE t.name = ? AND w.tenant = t.id AND w.name = ? AND d.workflow = w.id AND d.name = ?`,
    );
    return onSnapshot(this.#connection, () =>
      keys.map(
        ({ tenantId, workflowId, artifactId }) =>
          statement.get(tenantId, workflowId, artifactId) !== undefined,
      ),
    );
  }

  garbage(store: string, since: number, limit: number): readonly GarbageObject[] {
    return this.#connection
      .statement(
        `SELECT g.object, g.store, g.not_before FROM garbage g INDEXED BY garbage_time
         WHERE g.not_before <= ? AND g.store = ?
           AND NOT EXISTS (SELECT 1 FROM dirty d WHERE d.workflow = g.workflow AND d.name = g.name)
         ORDER BY g.not_before LIMIT ?`,
      )
      .all(since, store, limit)
      .map((cells) => ({
        object: cells[0] as string,
        store: cells[1] as string,
        since: cells[2] as number,
      }));
  }

  /**
   * Reads all rows whatever the number of objects, so pass many per call: an index by object would cost every
   * write one more page. An object changes from staged to a row to garbage and never back, and rows keep
   * their numbers. Staged objects are checked first and garbage last, so none is missed in between.
   */
  strays(store: string, objects: readonly string[]): readonly string[] {
    const unknown = new Set(objects);
    onSnapshot(this.#connection, (renew) => {
      this.#forget(unknown, store, "staged");
      this.#forget(unknown, store, "garbage");
      const newest = this.#connection.statement("SELECT max(id) FROM artifact").get()?.[0] as number | null;
      for (let low = 0; low < (newest ?? 0) && unknown.size > 0; low += STRAY_ROWS) {
        const rows = this.#connection
          .statement("SELECT object FROM artifact NOT INDEXED WHERE id > ? AND id <= ? AND store = ?")
          .all(low, low + STRAY_ROWS, store);
        for (const [object] of rows) unknown.delete(object as string);
        renew();
      }
      this.#forget(unknown, store, "garbage");
    });
    return objects.filter((object) => unknown.has(object));
  }

  overdue(before: number, graceMs: Readonly<Record<string, number>>): Overdue {
    const bySeq = (table: string, seq: string) =>
      `(SELECT count(*) FROM ${table} o CROSS JOIN event e ON e.seq = o.${seq} WHERE e.at < ?1)`;
    const cells = this.#connection
      .statement(
        `SELECT ${bySeq("inline_bytes", "seq")}, ${bySeq("dirty", "version")},
           (SELECT count(*) FROM garbage g WHERE g.not_before < ?1
              - coalesce((SELECT k.value FROM json_each(?2) k WHERE k.key = g.store), 0)), (SELECT count(*) FROM staged WHERE at < ?1)`,
      )
      .get(before, JSON.stringify(graceMs)) as unknown as readonly number[];
    const [unsettled = 0, unpublished = 0, uncollected = 0, staged = 0] = cells;
    return { unsettled, unpublished, uncollected, staged };
  }

  exportState(): ExportState | null {
    const row = this.#connection.statement("SELECT file, offset, seq, tail_hash FROM export_state").get();
    if (row === undefined) return null;
    return {
      file: row[0] as string,
      offset: row[1] as number,
      seq: row[2] as number,
      head: row[3] as string,
    };
  }

  #garbageOf(workflow: number, name: string): DirtyKey["garbage"] {
    return this.#connection
      .statement("SELECT object, store FROM garbage INDEXED BY garbage_key WHERE workflow = ? AND name = ?")
      .all(workflow, name)
      .map((cells) => ({ object: cells[0] as string, store: cells[1] as string }));
  }

  #forget(unknown: Set<string>, store: string, table: "staged" | "garbage"): void {
    const rows = this.#connection
      .statement(
        `SELECT o.object FROM json_each(?) k CROSS JOIN ${table} o ON o.object = k.value WHERE o.store = ?`,
      )
      .all(JSON.stringify([...unknown]), store);
    for (const [object] of rows) unknown.delete(object as string);
  }
}
