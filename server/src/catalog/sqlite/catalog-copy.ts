import { randomBytes } from "node:crypto";
import { backup, DatabaseSync } from "node:sqlite";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { createPrivateFile } from "../../files/private-file.ts";
import type { ExportState } from "../rows.ts";
import { CatalogFormatError, MIGRATIONS } from "./schema/migrations.ts";

/** All pages in one step: a change between two steps would restart the copy. */
const EVERY_PAGE = 2 ** 31 - 1;
const BUSY_TIMEOUT_MS = 10_000;

/** An object that a row names, with its expected content. */
export interface NamedObject {
  readonly key: ArtifactKey;
  readonly object: string;
  readonly store: string;
  readonly sizeBytes: number;
  /** SHA-256, lower-case hex. */
  readonly checksum: string;
  /** ms since the epoch. */
  readonly modifiedAt: number;
}

export interface CatalogFacts {
  readonly epoch: string;
  /** The newest event's seq; 0: none. */
  readonly seq: number;
  readonly artifactCount: number;
  readonly totalBytes: number;
  /** Number of artifacts whose content is in objects, not inline. */
  readonly objectCount: number;
  readonly objectBytes: number;
  readonly exportState: ExportState | null;
}

/**
 * Copies a catalog as it is at one moment, also while other processes write to it: every commit before the
 * call is in the copy. Runs on a separate thread and does not block writers. The copy is one file, which is not
 * synced yet.
 */
export async function copyCatalog(from: string, to: string): Promise<void> {
  createPrivateFile(to);
  const source = new DatabaseSync(from, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    await backup(source, to, { rate: EVERY_PAGE });
  } finally {
    source.close();
  }
  const copy = new DatabaseSync(to);
  try {
    // The copy's header would otherwise say that a WAL belongs to it.
    copy.exec("PRAGMA journal_mode = DELETE");
  } finally {
    copy.close();
  }
}

/** Reads a copy that no process writes to. */
export class CatalogCopy implements Disposable {
  readonly #db: DatabaseSync;

  constructor(path: string) {
    this.#db = new DatabaseSync(path, { readOnly: true });
  }

  /** SQLite's description of damage to the file; null: none found. Reads the complete file. */
  problem(): string | null {
    try {
      const { quick_check: found } = this.#db.prepare("PRAGMA quick_check(1)").get() ?? {};
      return found === "ok" ? null : String(found);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  facts(): CatalogFacts {
    const total =
      this.#one(`SELECT hot + warm + cold AS artifacts, hot_bytes + warm_bytes + cold_bytes AS bytes,
      unsettled, unsettled_bytes FROM total`);
    const { epoch } = this.#one("SELECT epoch FROM meta");
    const { seq } = this.#one("SELECT coalesce(max(seq), 0) AS seq FROM event");
    return {
      epoch: String(epoch),
      seq: Number(seq),
      artifactCount: Number(total.artifacts),
      totalBytes: Number(total.bytes),
      objectCount: Number(total.artifacts) - Number(total.unsettled),
      objectBytes: Number(total.bytes) - Number(total.unsettled_bytes),
      exportState: this.exportState(),
    };
  }

  /** Returns where the audit log ended; null: nothing was exported. Every format of the catalog has this. */
  exportState(): ExportState | null {
    const state = this.#db
      .prepare('SELECT file, "offset", seq, tail_hash AS head FROM export_state')
      .get() as unknown as ExportState | undefined;
    return state ?? null;
  }

  /** Every object that a row names, in no order. */
  *objects(): Generator<NamedObject> {
    const rows = this.#db
      .prepare(`SELECT t.name AS tenantId, w.name AS workflowId, a.name AS artifactId, a.object, a.store,
        a.size_bytes AS sizeBytes, a.checksum, a.modified_at AS modifiedAt
        FROM artifact a JOIN workflow w ON w.id = a.workflow JOIN tenant t ON t.id = w.tenant
        WHERE a.inline IS NULL`)
      .iterate();
    for (const row of rows) {
      const { tenantId, workflowId, artifactId, ...facts } = row as unknown as NamedObject & ArtifactKey;
      yield { ...facts, key: { tenantId, workflowId, artifactId } };
    }
  }

  #one(sql: string): Record<string, unknown> {
    const row = this.#db.prepare(sql).get();
    if (row === undefined) throw new Error("the copy of the catalog lacks a row that every catalog has");
    return row;
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}

/**
 * Gives a copy a new history: cursors of events after its newest one become invalid, and every key becomes
 * unpublished, except those whose objects are in `absent`.
 *
 * @throws CatalogFormatError
 */
export function restart(path: string, absent: readonly string[]): void {
  const db = new DatabaseSync(path);
  try {
    const found = Number(db.prepare("PRAGMA user_version").get()?.user_version);
    const known = MIGRATIONS.at(-1)?.version ?? 0;
    if (found > known) throw CatalogFormatError.newer(path, found, known);
    db.exec("CREATE TEMP TABLE absent (object TEXT PRIMARY KEY) STRICT; BEGIN");
    const note = db.prepare("INSERT OR IGNORE INTO temp.absent VALUES (?)");
    for (const object of absent) note.run(object);
    db.prepare("UPDATE meta SET epoch = ?").run(randomBytes(8).toString("hex"));
    db.exec(`
      DELETE FROM dirty WHERE (workflow, name) IN
        (SELECT workflow, name FROM artifact WHERE object IN (SELECT object FROM temp.absent));
      INSERT OR IGNORE INTO dirty SELECT version, workflow, name FROM artifact
        WHERE object NOT IN (SELECT object FROM temp.absent);
      COMMIT`);
  } finally {
    db.close();
  }
}
