import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Connection } from "../../src/catalog/sqlite/connection.ts";
import { drawing } from "../tiers/crash-loss.ts";
import type { CatalogWrite } from "./catalog-files.ts";
import { cutPower, Recording } from "./power-cut.ts";
import { type Act, SCENARIOS } from "./scenarios.ts";
import { catalogPath } from "./simulated-process.ts";
import { StoreHistory } from "./store-history.ts";
import { Violation } from "./violation.ts";

const SEED = Number(process.env.MODEL_SEED ?? 1);

/** Enough writes that SQLite checkpoints the log into the catalog's file and starts it over. */
const untilCheckpointed: readonly Act[] = [
  ...Array.from({ length: 36 }, (_, n): Act => {
    const key = { tenantId: "acme", workflowId: "nightly", artifactId: `report-${n % 5}` };
    return { do: "write", key, tier: "HOT", seed: n, sizeBytes: 60_000 };
  }),
  { do: "drain" },
];

let states = 0;
let starts = 0;

/** Cuts the power within each write for which `isTried` returns true. Resolves with the number of states tried. */
async function tryAll(acts: readonly Act[], isTried: (write: CatalogWrite) => boolean): Promise<number> {
  const draw = drawing({ seed: SEED });
  const statesBefore = states;
  using history = StoreHistory.create({ dir: tmpdir() });
  using recording = new Recording(history, isTried);
  await history.run(acts, Number.POSITIVE_INFINITY, "nothing", recording.record);
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

describe("a power cut within a commit", () => {
  it.each(Object.entries(SCENARIOS))(
    "leaves the commit completely or not at all, and every acknowledged change: %s",
    async (_name, acts) => {
      expect(await tryAll(acts, () => true)).toBeGreaterThan(50);
    },
    600_000,
  );

  it("loses nothing during a checkpoint of the log, and while the log starts over", async () => {
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

it("DURABILITY=fsync makes SQLite sync the log in every commit", () => {
  using history = StoreHistory.create({ dir: tmpdir() });
  mkdirSync(join(history.root, ".tierkeep"));
  const connection = new Connection({ path: catalogPath(history.root), durability: "fsync", cacheKiB: 100 });
  expect(connection.statement("PRAGMA synchronous").get()).toEqual([2]);
  connection.close();
});
