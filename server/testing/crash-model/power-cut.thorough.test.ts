import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Connection } from "../../src/catalog/sqlite/connection.ts";
import { drawing } from "../tiers/crash-loss.ts";
import type { CatalogWrite } from "./catalog-files.ts";
import { Story } from "./crash-story.ts";
import { cutPower, Recording } from "./power-cut.ts";
import { SCENARIOS, type StoryStep } from "./scenarios.ts";
import { catalogPath } from "./simulated-process.ts";
import { Violation } from "./violation.ts";

const SEED = Number(process.env.MODEL_SEED ?? 1);

/** Enough writes for a checkpoint of the WAL and a restart of the WAL. */
const untilCheckpointed: readonly StoryStep[] = [
  ...Array.from({ length: 36 }, (_, n): StoryStep => {
    const key = { tenantId: "acme", workflowId: "nightly", artifactId: `report-${n % 5}` };
    return { do: "write", key, tier: "HOT", seed: n, sizeBytes: 60_000 };
  }),
  { do: "drain" },
];

let states = 0;
let starts = 0;

/** Returns how many states it tried. */
async function tryAll(
  acts: readonly StoryStep[],
  isTried: (write: CatalogWrite) => boolean,
): Promise<number> {
  const draw = drawing({ seed: SEED });
  const statesBefore = states;
  using story = Story.begin({ dir: tmpdir() });
  using recording = new Recording(story, isTried);
  await story.live(acts, Number.POSITIVE_INFINITY, "nothing", recording.look);
  for (const [index, moment] of recording.moments.entries()) {
    const tried = await cutPower(moment, draw).catch((error: unknown) => {
      throw Violation.when(`commit ${index}`, error);
    });
    states += tried.states;
    starts += tried.starts;
  }
  return states - statesBefore;
}

afterAll(() => {
  console.info(
    `${states} states of the catalog's files after a power cut, ${starts} of them with the engine started (seed ${SEED})`,
  );
});

describe("a power cut during a commit", () => {
  it.each(Object.entries(SCENARIOS))(
    "keeps every acknowledged change, and the commit completely or not at all: %s",
    async (_name, acts) => {
      expect(await tryAll(acts, () => true)).toBeGreaterThan(50);
    },
    600_000,
  );

  it("keeps them during a checkpoint and during a restart of the WAL", async () => {
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

it("DURABILITY=fsync makes SQLite sync the WAL in every commit", () => {
  using story = Story.begin({ dir: tmpdir() });
  mkdirSync(join(story.root, ".tierkeep"));
  const connection = new Connection({ path: catalogPath(story.root), durability: "fsync", cacheKiB: 100 });
  expect(connection.statement("PRAGMA synchronous").get()).toEqual([2]);
  connection.close();
});
