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

/** One commit, with the store before it. */
export interface Moment {
  readonly write: CatalogWrite;
  /** The story up to this commit, on a copy of the tiers. */
  readonly story: Story;
}

/** Records the state of the catalog files around each commit of a story, and the tiers. */
export class Recording {
  readonly moments: Moment[] = [];
  readonly #story: Story;
  readonly #isKept: (write: CatalogWrite) => boolean;
  #last: CatalogFiles | null = null;

  /** @param isKept called once for each commit; false drops it */
  constructor(story: Story, isKept: (write: CatalogWrite) => boolean) {
    this.#story = story;
    this.#isKept = isKept;
  }

  /** The `onStep` of a simulated process. */
  readonly look = (): void => {
    const before = this.#last;
    this.#last = readCatalogFiles(catalogPath(this.#story.root));
    // The creation of the catalog is not tested: nothing is acknowledged yet.
    if (before === null || before.db.length === 0) return;
    if (before.wal.equals(this.#last.wal) && before.db.equals(this.#last.db)) return;
    const write = new CatalogWrite(before, this.#last);
    if (!this.#isKept(write)) return;
    this.moments.push({ write, story: forkWithTiers(this.#story) });
  };

  /** All recorded moments. */
  forget(): void {
    for (const { story } of this.moments.splice(0)) story[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.forget();
  }
}

/** What was tried. */
export interface Tried {
  /** States of the catalog files that SQLite recovered. */
  readonly states: number;
  /** Engine starts from such a state. */
  readonly starts: number;
}

/**
 * Cuts the power at each point of a commit. From every possible state of the files, SQLite must recover the state before
 * or after the commit, and the engine must start with every acknowledged change.
 * @throws Violation
 */
export async function cutPower({ write, story }: Moment, draw: Draw): Promise<Tried> {
  const dir = dirname(story.root);
  /** Hash of the recovered database for each number of complete transactions. */
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

/** Starts the engine on the state after the power cut and compares it with the acknowledged changes. */
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

/** Copies the store without its catalog. */
function linkTree(from: string, to: string): void {
  const entries = readdirSync(from, { recursive: true, withFileTypes: true }).map((entry) => {
    const path = join(entry.parentPath, entry.name);
    return { entry, path, target: join(to, path.slice(from.length)) };
  });
  for (const { entry, target } of entries) if (entry.isDirectory()) mkdirSync(target, { recursive: true });
  for (const { entry, path, target } of entries)
    if (entry.isFile() && !basename(path).startsWith("catalog.db")) linkSync(path, target);
}
