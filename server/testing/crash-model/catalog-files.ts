import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

/** The catalog on a disk: its database file and its write-ahead log. */
export interface CatalogFiles {
  readonly db: Buffer;
  readonly wal: Buffer;
}

/** One write to the log: a new header, or a frame, which holds a page. */
interface Piece {
  readonly at: number;
  readonly bytes: Buffer;
  /** Whether it completes a transaction. */
  readonly commits: boolean;
}

/** A state in which a power cut may leave the files. */
export interface PossibleFiles {
  readonly name: string;
  readonly files: CatalogFiles;
  /** The number of leading pieces of the log that are complete. */
  readonly whole: number;
}

/** Reads the files without SQLite. Closing them drops SQLite's locks, so no other process may have the catalog open. */
export function readCatalogFiles(path: string): CatalogFiles {
  const read = (file: string) => (existsSync(file) ? readFileSync(file) : Buffer.alloc(0));
  return { db: read(path), wal: read(`${path}-wal`) };
}

export function writeCatalogFiles(path: string, { db, wal }: CatalogFiles): void {
  writeFileSync(path, db);
  writeFileSync(`${path}-wal`, wal);
}

/** The change of the files between two moments. */
export class CatalogWrite {
  readonly before: CatalogFiles;
  readonly after: CatalogFiles;
  readonly pieces: readonly Piece[];

  constructor(before: CatalogFiles, after: CatalogFiles) {
    this.before = before;
    this.after = after;
    this.pieces = piecesOf(before.wal, after.wal);
  }

  get startsLogOver(): boolean {
    return this.before.wal.length > 0 && this.pieces[0]?.at === 0;
  }

  get checkpoints(): boolean {
    return !this.before.db.equals(this.after.db);
  }

  /**
   * Returns the number of the first `whole` pieces that SQLite keeps: those up to the last that completes a
   * transaction.
   */
  committed(whole: number): number {
    for (let count = whole; count > 0; count -= 1) if (this.pieces[count - 1]?.commits) return count;
    return 0;
  }

  /** Returns the files with the first `count` pieces in the log, and none of the others. */
  upTo(count: number): CatalogFiles {
    return this.#with(this.pieces.map((_, index) => (index < count ? "written" : "not")));
  }

  /**
   * States in which a power cut within the change may leave the files:
   * - any number of pieces, and the next one in part;
   * - pieces in any order, because the disk may reorder them, some replaced by zeros if only the length was written;
   * - once all pieces are synced, pages of the catalog's file in any order, complete or in part.
   */
  *possible(draw: (last: number) => number): Generator<PossibleFiles> {
    const { pieces } = this;
    for (let whole = 0; whole <= pieces.length; whole += 1) {
      yield { name: `${whole} of ${pieces.length} pieces`, files: this.upTo(whole), whole };
      if (whole === pieces.length) break;
      const next = pieces[whole]?.bytes.length ?? 0;
      const kept = [1, FRAME_HEADER_BYTES, Math.floor(next / 2), next - 1][draw(3)] ?? 1;
      const torn = pieces.map((_, index) => (index < whole ? "written" : index === whole ? kept : "not"));
      yield { name: `${whole} pieces and ${kept} bytes`, files: this.#with(torn), whole };
    }
    for (let turn = 0; turn < Math.min(6, pieces.length - 1); turn += 1) {
      const missing = draw(pieces.length - 2);
      const fate = pieces.map((_, index) =>
        index < missing
          ? "written"
          : index > missing && draw(1) === 1
            ? "written"
            : draw(1) === 1
              ? "zeros"
              : "not",
      );
      if (fate[missing] === "written") continue;
      yield { name: `pieces ${fate.join(" ")}`, files: this.#with(fate), whole: missing };
    }
    for (let turn = 0; this.checkpoints && turn < 12; turn += 1) {
      const files = { wal: this.after.wal, db: mixed(this.before.db, this.after.db, draw) };
      yield { name: "pages of the catalog's file in any order", files, whole: pieces.length };
    }
  }

  #with(fate: readonly ("written" | "not" | "zeros" | number)[]): CatalogFiles {
    const end = Math.max(
      this.before.wal.length,
      ...this.pieces.map(({ at, bytes }, index) => {
        const own = fate[index];
        return own === "not" ? 0 : at + (typeof own === "number" ? own : bytes.length);
      }),
    );
    const wal = Buffer.alloc(end);
    this.before.wal.copy(wal);
    for (const [index, { at, bytes }] of this.pieces.entries()) {
      const own = fate[index];
      if (own === "written") bytes.copy(wal, at);
      else if (own === "zeros") wal.fill(0, at, at + bytes.length);
      else if (typeof own === "number") bytes.copy(wal, at, 0, own);
    }
    return { wal, db: this.before.db };
  }
}

function piecesOf(before: Buffer, after: Buffer): Piece[] {
  if (after.length < HEADER_BYTES) return [];
  const pieces: Piece[] = [];
  const isNew = (at: number, end: number) => !after.subarray(at, end).equals(before.subarray(at, end));
  if (isNew(0, HEADER_BYTES)) pieces.push({ at: 0, bytes: after.subarray(0, HEADER_BYTES), commits: false });
  const frameBytes = FRAME_HEADER_BYTES + after.readUInt32BE(8);
  const salts = after.subarray(16, 24);
  for (let at = HEADER_BYTES; at + frameBytes <= after.length; at += frameBytes) {
    const bytes = after.subarray(at, at + frameBytes);
    // The frames after the newest one remain from before the log started over.
    if (!bytes.subarray(8, 16).equals(salts)) break;
    if (isNew(at, at + frameBytes)) pieces.push({ at, bytes, commits: bytes.readUInt32BE(4) !== 0 });
  }
  return pieces;
}

function mixed(before: Buffer, after: Buffer, draw: (last: number) => number): Buffer {
  const SECTOR = 512;
  const db = Buffer.alloc(draw(1) === 1 ? after.length : Math.max(before.length, SECTOR));
  before.copy(db);
  for (let at = 0; at < after.length && at < db.length; at += SECTOR)
    if (draw(1) === 1) after.copy(db, at, at, at + SECTOR);
  return db;
}

/**
 * Returns the hash of the catalog's file after SQLite has recovered the files, in a temporary folder in
 * `dir`.
 */
export function recovered(files: CatalogFiles, dir: string): string {
  const folder = mkdtempSync(join(dir, "tierkeep-wal-"));
  try {
    const path = join(folder, "catalog.db");
    writeCatalogFiles(path, files);
    const db = new DatabaseSync(path);
    try {
      db.exec("PRAGMA synchronous = OFF");
      db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } finally {
      db.close();
    }
    return createHash("sha256").update(readFileSync(path)).digest("hex");
  } finally {
    rmSync(folder, { recursive: true });
  }
}
