import { linkSync, mkdirSync, mkdtempSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Draw } from "../tiers/crash-loss.ts";
import {
  type CatalogFiles,
  CatalogWrite,
  readCatalogFiles,
  recovered,
  writeCatalogFiles,
} from "./catalog-files.ts";
import { catalogPath } from "./simulated-process.ts";
import type { StoreHistory } from "./store-history.ts";
import { Violation } from "./violation.ts";

/** One commit, and the store at that time. */
export interface Moment {
  readonly write: CatalogWrite;
  /** A fork of the history up to the commit, with hard links to the same files. */
  readonly history: StoreHistory;
}

/** Records what the commits of a history write to the catalog's files, and the other files at that time. */
export class Recording {
  readonly moments: Moment[] = [];
  readonly #history: StoreHistory;
  readonly #isKept: (write: CatalogWrite) => boolean;
  #last: CatalogFiles | null = null;

  /** @param isKept called once for each commit */
  constructor(history: StoreHistory, isKept: (write: CatalogWrite) => boolean) {
    this.#history = history;
    this.#isKept = isKept;
  }

  /** Must be called before each step of a process. */
  readonly record = (): void => {
    const before = this.#last;
    this.#last = readCatalogFiles(catalogPath(this.#history.root));
    // The catalog's creation is not recorded, because nothing was acknowledged yet.
    if (before === null || before.db.length === 0) return;
    if (before.wal.equals(this.#last.wal) && before.db.equals(this.#last.db)) return;
    const write = new CatalogWrite(before, this.#last);
    if (!this.#isKept(write)) return;
    this.moments.push({ write, history: forkWithTiers(this.#history) });
  };

  /** Discards all recorded moments. */
  clear(): void {
    for (const { history } of this.moments.splice(0)) history[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.clear();
  }
}

/** The amount of work of a check. */
export interface Tried {
  /** States of the catalog's files that SQLite recovered. */
  readonly states: number;
  /** Starts of the engine. */
  readonly starts: number;
}

/**
 * Cuts the power at each point of a commit. From each state of the files SQLite must recover exactly the catalog before
 * or after the commit, and the engine must start from it with every acknowledged change.
 *
 * @throws Violation
 */
export async function cutPower({ write, history }: Moment, draw: Draw): Promise<Tried> {
  const dir = dirname(history.root);
  /** The hash of the catalog that SQLite recovers from each number of pieces that ends a transaction. */
  const whole = new Map<number, string>();
  for (let count = 0; count <= write.pieces.length; count += 1) {
    if (write.committed(count) !== count) continue;
    const files = write.upTo(count);
    whole.set(count, recovered(files, dir));
    await startFrom(files, history).catch((error: unknown) => {
      throw Violation.when(
        `power cut with ${count} of ${write.pieces.length} pieces of a commit written`,
        error,
      );
    });
  }
  const broken: string[] = [];
  const compare = (name: string, files: CatalogFiles, count: number) => {
    if (recovered(files, dir) !== whole.get(write.committed(count)))
      broken.push(`from ${name}, SQLite recovers another catalog than from the complete transactions`);
  };
  compare("nothing of the commit", write.before, 0);
  compare("all of the commit", write.after, write.pieces.length);
  let states = 0;
  for (const { name, files, whole: count } of write.possible(draw)) {
    states += 1;
    compare(name, files, count);
  }
  Violation.unlessNone(broken);
  return { states, starts: whole.size };
}

/** Starts the engine on the files after a power cut, and compares its artifacts with the acknowledged ones. */
async function startFrom(files: CatalogFiles, history: StoreHistory): Promise<void> {
  using fork = forkWithTiers(history);
  writeCatalogFiles(catalogPath(fork.root), files);
  await fork.check();
}

function forkWithTiers(history: StoreHistory): StoreHistory {
  const root = mkdtempSync(join(dirname(history.root), "tierkeep-cut-"));
  linkTree(history.root, root);
  return history.fork(root);
}

/** Links all files except those of the catalog. */
function linkTree(from: string, to: string): void {
  const entries = readdirSync(from, { recursive: true, withFileTypes: true }).map((entry) => {
    const path = join(entry.parentPath, entry.name);
    return { entry, path, target: join(to, path.slice(from.length)) };
  });
  for (const { entry, target } of entries) if (entry.isDirectory()) mkdirSync(target, { recursive: true });
  for (const { entry, path, target } of entries)
    if (entry.isFile() && !basename(path).startsWith("catalog.db")) linkSync(path, target);
}
