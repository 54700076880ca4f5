import { linkSync, mkdirSync, mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Connection } from "../../catalog/sqlite/connection.ts";
import { drawing } from "../../tiers/filesystem/crash-loss.ts";
import {
  type CatalogFiles,
  CatalogWrite,
  readCatalogFiles,
  recovered,
  writeCatalogFiles,
} from "./catalog-files.ts";
import { catalogPath } from "./life.ts";
import { type Act, SCENARIOS } from "./scenarios.ts";
import { Story } from "./story.ts";

const SEED = Number(process.env.MODEL_SEED ?? 1);

/** Until the log is put into the catalog's file, and starts over. */
const untilCheckpointed: readonly Act[] = [
  ...Array.from({ length: 36 }, (_, n): Act => {
    const key = { tenantId: "acme", workflowId: "nightly", artifactId: `report-${n % 5}` };
    return { do: "write", key, tier: "HOT", seed: n, sizeBytes: 60_000 };
  }),
  { do: "drain" },
];

/** One commit, and the store as it was around it. */
interface Moment {
  readonly write: CatalogWrite;
  /** The same tiers as then, under other names. */
  readonly tiers: string;
  readonly story: Story;
}

/** Lives through the acts and keeps every commit's writes to the catalog's files. */
async function recorded(story: Story, acts: readonly Act[]): Promise<readonly Moment[]> {
  const moments: Moment[] = [];
  let last: CatalogFiles | null = null;
  const look = () => {
    const before = last;
    last = readCatalogFiles(catalogPath(story.root));
    // How the catalog is made is another matter: nothing was acknowledged yet.
    if (before === null || before.db.length === 0) return;
    if (before.wal.equals(last.wal) && before.db.equals(last.db)) return;
    const tiers = mkdtempSync(join(tmpdir(), "tierkeep-cut-"));
    linkTree(story.root, tiers);
    moments.push({ write: new CatalogWrite(before, last), tiers, story: story.fork(tiers) });
  };
  await story.live(acts, Number.POSITIVE_INFINITY, "nothing", look);
  return moments;
}

function linkTree(from: string, to: string): void {
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const target = join(to, path.slice(from.length));
    if (entry.isDirectory()) mkdirSync(target, { recursive: true });
  }
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !basename(path).startsWith("catalog.db"))
      linkSync(path, join(to, path.slice(from.length)));
  }
}

/** Starts the engine on what the power cut left, and compares with what was acknowledged by then. */
async function startsFrom({ tiers, story }: Moment, files: CatalogFiles): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "tierkeep-cut-"));
  using world = story.fork(root);
  linkTree(tiers, root);
  writeCatalogFiles(catalogPath(root), files);
  await world.check();
}

let states = 0;
let starts = 0;

/** How many states were tried. */
async function tryAll(acts: readonly Act[], isTried: (write: CatalogWrite) => boolean): Promise<number> {
  const draw = drawing({ seed: SEED });
  let tried = 0;
  using story = new Story();
  const moments = await recorded(story, acts);
  try {
    for (const [index, moment] of moments.entries()) {
      const { write } = moment;
      if (!isTried(write)) continue;
      // What SQLite makes of each number of whole transactions, and that the engine starts from it.
      const whole = new Map<number, string>();
      for (let count = 0; count <= write.pieces.length; count += 1) {
        if (write.committed(count) !== count) continue;
        const files = write.upTo(count);
        whole.set(count, recovered(files));
        starts += 1;
        await startsFrom(moment, files).catch((error: unknown) => {
          throw new Error(`commit ${index} with ${count} pieces of the log: ${error}`, { cause: error });
        });
      }
      expect(whole.get(0)).toBe(recovered(write.before));
      expect(whole.get(write.committed(write.pieces.length))).toBe(recovered(write.after));
      for (const { name, files, whole: count } of write.possible(draw)) {
        tried += 1;
        expect(recovered(files), `commit ${index}, ${name}`).toBe(whole.get(write.committed(count)));
      }
    }
  } finally {
    for (const moment of moments) moment.story[Symbol.dispose]();
  }
  states += tried;
  return tried;
}

afterAll(() => {
  console.info(
    `${states} states of the catalog's files after a power cut, ${starts} of them with the engine started (seed ${SEED})`,
  );
});

describe("a power cut in the middle of a commit", () => {
  it.each(Object.entries(SCENARIOS))(
    "leaves all of it or nothing, and all that was acknowledged: %s",
    async (_name, acts) => {
      expect(await tryAll(acts, () => true)).toBeGreaterThan(50);
    },
    600_000,
  );

  it("does so while the log is put into the catalog's file, and while it starts over", async () => {
    let checkpoints = 0;
    let overs = 0;
    const tried = await tryAll(untilCheckpointed, (write) => {
      checkpoints += write.checkpoints ? 1 : 0;
      overs += write.startsLogOver ? 1 : 0;
      return write.checkpoints || write.startsLogOver;
    });
    expect(checkpoints).toBeGreaterThan(0);
    expect(overs).toBeGreaterThan(0);
    expect(tried).toBeGreaterThan(50);
  }, 600_000);
});

it("with DURABILITY=fsync SQLite is told to sync the log in every commit", () => {
  using story = new Story();
  mkdirSync(join(story.root, ".tierkeep"));
  const connection = new Connection({ path: catalogPath(story.root), durability: "fsync", cacheKiB: 100 });
  expect(connection.statement("PRAGMA synchronous").get()).toEqual([2]);
  connection.close();
});
