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
import type { Story } from "./crash-story.ts";
import { catalogPath } from "./simulated-process.ts";
import { Violation } from "./violation.ts";

/** One commit, and the store as it was around it. */
export interface Moment {
  readonly write: CatalogWrite;
  /** As far as it had come, of the same tiers under other names. */
  readonly story: Story;
}

/** Keeps what commits of a story write to the catalog's files, and what else there was. */
export class Recording {
  readonly moments: Moment[] = [];
  readonly #story: Story;
  readonly #isKept: (write: CatalogWrite) => boolean;
  #last: CatalogFiles | null = null;

  /** `isKept` is asked once a commit. */
  constructor(story: Story, isKept: (write: CatalogWrite) => boolean) {
    this.#story = story;
    this.#isKept = isKept;
  }

  /** For a life, before each of its steps. */
  readonly look = (): void => {
    const before = this.#last;
    this.#last = readCatalogFiles(catalogPath(this.#story.root));
    // How the catalog is made is another matter: nothing was acknowledged yet.
    if (before === null || before.db.length === 0) return;
    if (before.wal.equals(this.#last.wal) && before.db.equals(this.#last.db)) return;
    const write = new CatalogWrite(before, this.#last);
    if (!this.#isKept(write)) return;
    this.moments.push({ write, story: forkWithTiers(this.#story) });
  };

  /** Of all moments so far. */
  forget(): void {
    for (const { story } of this.moments.splice(0)) story[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.forget();
  }
}

/** How much was tried. */
export interface Tried {
  /** Of the catalog's files, given to SQLite. */
  readonly states: number;
  /** How often the engine was started from one. */
  readonly starts: number;
}

/**
 * Cuts the power at each point of a commit: SQLite must make of every state in which the files may be left exactly what
 * was committed before it or with it, and the engine must start from that with all that had been acknowledged.
 * @throws Broken
 */
export async function cutPower({ write, story }: Moment, draw: Draw): Promise<Tried> {
  const dir = dirname(story.root);
  /** What SQLite makes of each number of whole transactions. */
  const whole = new Map<number, string>();
  for (let count = 0; count <= write.pieces.length; count += 1) {
    if (write.committed(count) !== count) continue;
    const files = write.upTo(count);
    whole.set(count, recovered(files, dir));
    await startFrom(files, story).catch((error: unknown) => {
      throw Violation.when(
        `power cut with ${count} of ${write.pieces.length} pieces of a commit written`,
        error,
      );
    });
  }
  const broken: string[] = [];
  const compare = (name: string, files: CatalogFiles, count: number) => {
    if (recovered(files, dir) !== whole.get(write.committed(count)))
      broken.push(`SQLite makes something else of the catalog with ${name} than of its whole transactions`);
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

/** Starts the engine on what the power cut left, and compares with what was acknowledged by then. */
async function startFrom(files: CatalogFiles, story: Story): Promise<void> {
  using world = forkWithTiers(story);
  writeCatalogFiles(catalogPath(world.root), files);
  await world.check();
}

function forkWithTiers(story: Story): Story {
  const root = mkdtempSync(join(dirname(story.root), "tierkeep-cut-"));
  linkTree(story.root, root);
  return story.fork(root);
}

/** Without the catalog. */
function linkTree(from: string, to: string): void {
  const entries = readdirSync(from, { recursive: true, withFileTypes: true }).map((entry) => {
    const path = join(entry.parentPath, entry.name);
    return { entry, path, target: join(to, path.slice(from.length)) };
  });
  for (const { entry, target } of entries) if (entry.isDirectory()) mkdirSync(target, { recursive: true });
  for (const { entry, path, target } of entries)
    if (entry.isFile() && !basename(path).startsWith("catalog.db")) linkSync(path, target);
}
