import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it, onTestFailed } from "vitest";
import { type SeededRandom, seededRandom } from "../seeded-random.ts";
import { ServedStore } from "../served-store.ts";
import { changeArtifacts, runJobs } from "./clients.ts";
import { inspect, inspectAnswers } from "./inspect.ts";
import { PossibleStates } from "./possible-states.ts";
import { type FileSystem, RecordedDisk } from "./recorded-disk.ts";
import { verifyAuditLog } from "./verify-audit-log.ts";

/** More by hand: POWER_CUTS=200 */
const CUTS = Number(process.env.POWER_CUTS ?? 8);
const CLIENTS = 6;
const ARTIFACTS_EACH = 8;
/** Of the load, between two power cuts. */
const LIFE_MS = { least: 20, most: 500 };

const FILE_SYSTEMS: Readonly<Record<string, FileSystem>> = {
  ext4: { make: ["mkfs.ext4", "-q"], options: [] },
  // Lengths may be there before what they are the lengths of.
  "ext4 with data=writeback": { make: ["mkfs.ext4", "-q"], options: ["data=writeback"] },
  // The original is mounted as well, by the same id.
  xfs: { make: ["mkfs.xfs", "-q"], options: ["nouuid"] },
};

/** A moment of a server's life, and what each artifact may be if that was its last one. */
interface Cut {
  readonly moment: number;
  readonly possible: PossibleStates;
}

interface SimulatedProcess {
  readonly cuts: readonly Cut[];
  readonly acknowledged: number;
}

/** Lets a server work on the disk, and notes moments at which the power may have gone. */
async function live(
  disk: RecordedDisk,
  random: SeededRandom,
  env: Readonly<Record<string, string>>,
): Promise<SimulatedProcess> {
  const dir = join(disk.mounted, "store");
  await mkdir(dir);
  await using server = await ServedStore.start(dir, env);
  const states = new PossibleStates();
  const tally = { acknowledged: 0, unanswered: 0 };
  const load = { url: server.url, random, states, tally };
  const working = Promise.all([
    ...Array.from({ length: CLIENTS }, (_, n) => changeArtifacts(load, `tenant-${n}`, ARTIFACTS_EACH)),
    runJobs(load, "aging", ARTIFACTS_EACH * 2),
  ]);
  const cuts: Cut[] = [];
  while (cuts.length < CUTS) {
    const before = tally.acknowledged;
    await Promise.race([pause(random.between(LIFE_MS.least, LIFE_MS.most)), working]);
    await expect.poll(() => tally.acknowledged, { interval: 5 }).toBeGreaterThan(before + CLIENTS);
    const possible = states.fork();
    const moment = await disk.moment();
    states.join(possible);
    cuts.push({ moment, possible });
  }
  await server.kill();
  await working;
  return { cuts, acknowledged: tally.acknowledged };
}

/** What is wrong with what a power cut left, once a server has started on it. */
async function breaches(
  disk: RecordedDisk,
  { moment, possible }: Cut,
  random: SeededRandom,
  look: (server: ServedStore, states: PossibleStates) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  using left = await disk.afterPowerCut(moment, random);
  await using server = await ServedStore.start(join(left.mounted, "store"));
  return await look(server, possible);
}

async function lookAtEverything(server: ServedStore, states: PossibleStates): Promise<string[]> {
  const found = await inspect(server, states);
  await server.stop();
  return [...found, ...(await verifyAuditLog(server))];
}

/** The seed of TEST_SEED, else a new one; a test that fails prints it. */
function random(): SeededRandom {
  const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  onTestFailed(() => console.error(`repeat this with TEST_SEED=${seed}`));
  return seededRandom(seed);
}

describe("a power cut under a server's load, on a disk that keeps only what was flushed", () => {
  it.each(Object.entries(FILE_SYSTEMS))(
    `loses nothing that was acknowledged and leaves nothing half done: %s, ${CUTS} times`,
    async (name, fileSystem) => {
      const chance = random();
      await using disk = await RecordedDisk.begin(fileSystem);
      const { cuts, acknowledged } = await live(disk, chance, {});
      for (const [index, cut] of cuts.entries())
        expect(await breaches(disk, cut, chance, lookAtEverything), `cut ${index + 1}`).toEqual([]);
      console.info(
        `${CUTS} power cuts on ${name} (seed ${chance.seed}), with ${acknowledged} changes acknowledged and ${cuts.at(-1)?.moment} requests to the disk`,
      );
    },
    900_000,
  );

  it("is seen to lose what was acknowledged where nothing is synced", async () => {
    const chance = random();
    await using disk = await RecordedDisk.begin(FILE_SYSTEMS.ext4 as FileSystem);
    const { cuts } = await live(disk, chance, { DURABILITY: "os" });
    const isLossSeen = async (cut: Cut) => {
      const look = breaches(disk, cut, chance, inspectAnswers);
      return (await look.catch((error: Error) => [error.message])).length > 0;
    };
    let isSeen = false;
    for (const cut of cuts) isSeen ||= await isLossSeen(cut);
    expect(isSeen).toBe(true);
  }, 900_000);
});
