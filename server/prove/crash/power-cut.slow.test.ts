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

/** Set POWER_CUTS for more, such as POWER_CUTS=200. */
const CUTS = Number(process.env.POWER_CUTS ?? 8);
const CLIENTS = 6;
const ARTIFACTS_EACH = 8;
/** Time under load between two power cuts. */
const UPTIME_MS = { least: 20, most: 500 };

const FILE_SYSTEMS: Readonly<Record<string, FileSystem>> = {
  ext4: { make: ["mkfs.ext4", "-q"], options: [] },
  // A file's length may reach the disk before its data.
  "ext4 with data=writeback": { make: ["mkfs.ext4", "-q"], options: ["data=writeback"] },
  // The original file system is mounted too, with the same UUID.
  xfs: { make: ["mkfs.xfs", "-q"], options: ["nouuid"] },
};

/** A moment of a power cut, and the states that each artifact may have after it. */
interface Cut {
  readonly moment: number;
  readonly possible: PossibleStates;
}

interface RecordedRun {
  readonly cuts: readonly Cut[];
  readonly acknowledged: number;
}

/** Runs a server under load on the disk, and records moments for power cuts. */
async function runUnderLoad(
  disk: RecordedDisk,
  random: SeededRandom,
  env: Readonly<Record<string, string>>,
): Promise<RecordedRun> {
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
    await Promise.race([pause(random.between(UPTIME_MS.least, UPTIME_MS.most)), working]);
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

/** Starts a server on the disk after a power cut, and returns the problems that `inspectServer` finds. */
async function problemsAfter(
  disk: RecordedDisk,
  { moment, possible }: Cut,
  random: SeededRandom,
  inspectServer: (server: ServedStore, states: PossibleStates) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  using left = await disk.afterPowerCut(moment, random);
  await using server = await ServedStore.start(join(left.mounted, "store"));
  return await inspectServer(server, possible);
}

async function inspectEverything(server: ServedStore, states: PossibleStates): Promise<string[]> {
  const found = await inspect(server, states);
  await server.stop();
  return [...found, ...(await verifyAuditLog(server))];
}

/** Returns random numbers from the seed in TEST_SEED, or from a new seed. A failed test prints it. */
function random(): SeededRandom {
  const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  onTestFailed(() => console.error(`repeat this with TEST_SEED=${seed}`));
  return seededRandom(seed);
}

describe("a power cut of a server under load, on a disk that keeps only flushed data", () => {
  it.each(Object.entries(FILE_SYSTEMS))(
    `keeps every acknowledged change and leaves no partial one: %s, ${CUTS} times`,
    async (name, fileSystem) => {
      const chance = random();
      await using disk = await RecordedDisk.create(fileSystem);
      const { cuts, acknowledged } = await runUnderLoad(disk, chance, {});
      for (const [index, cut] of cuts.entries())
        expect(await problemsAfter(disk, cut, chance, inspectEverything), `cut ${index + 1}`).toEqual([]);
      console.info(
        `${CUTS} power cuts on ${name} (seed ${chance.seed}), with ${acknowledged} changes acknowledged and ${cuts.at(-1)?.moment} requests to the disk`,
      );
    },
    900_000,
  );

  it("loses acknowledged changes if nothing is synced", async () => {
    const chance = random();
    await using disk = await RecordedDisk.create(FILE_SYSTEMS.ext4 as FileSystem);
    const { cuts } = await runUnderLoad(disk, chance, { DURABILITY: "os" });
    const isLossSeen = async (cut: Cut) => {
      const problems = problemsAfter(disk, cut, chance, inspectAnswers);
      return (await problems.catch((error: Error) => [error.message])).length > 0;
    };
    let isSeen = false;
    for (const cut of cuts) isSeen ||= await isLossSeen(cut);
    expect(isSeen).toBe(true);
  }, 900_000);
});
