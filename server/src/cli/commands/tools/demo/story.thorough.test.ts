import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTierkeep, type Tierkeep } from "@tierkeep/sdk";
import { afterEach, expect, it } from "vitest";
import { capturedOutput } from "../../../../../testing/cli/captured-output.ts";
import { type Connection, connect } from "../../../../app/connect.ts";
import { readConfig } from "../../../../app/read-config.ts";
import { DemoClock } from "./clock.ts";
import { DemoFailure } from "./library.ts";
import { type DemoOptions, DemoStory, daysToTurn } from "./story.ts";

let folder: string;
let connection: Connection | undefined;

afterEach(async () => {
  await connection?.close();
  connection = undefined;
  await rm(folder, { recursive: true, force: true });
});

async function storyOf(
  options: Partial<DemoOptions>,
  around: (tierkeep: Tierkeep) => Tierkeep = (same) => same,
) {
  folder = await mkdtemp(join(tmpdir(), "tierkeep-story-"));
  const told: DemoOptions = { tenant: "acme", count: 13, forceAge: true, dryRun: false, ...options };
  const clock = new DemoClock(-daysToTurn(told));
  const config = readConfig({ STORAGE_BASE_PATH: join(folder, "artifacts"), LOG_DIR: join(folder, "logs") });
  connection = await connect(config, { clock });
  const tierkeep = createTierkeep({ url: connection.url, fetch: connection.fetch });
  const output = capturedOutput();
  return { tierkeep, clock, output, story: new DemoStory(around(tierkeep), clock, told, output) };
}

const tiersOf = async (tierkeep: Tierkeep) =>
  (await tierkeep.tierStats()).map(({ artifactCount }) => artifactCount);

it("takes documents from hot to purged, restores some on the way, and ends at the time that it really is", async () => {
  const { story, tierkeep, clock } = await storyOf({});
  await story.tell();
  // Two of 13 come back from warm and one of the other 11 from cold; what is never touched is purged.
  expect(story.tally).toMatchObject({ written: 13, restored: 3, purged: 10 });
  expect(await tiersOf(tierkeep)).toEqual([0, 1, 2]);
  const [before, told, after] = [Date.now(), clock.now(), Date.now()];
  // Days that are fractions add up to a little less or more.
  expect(told).toBeGreaterThan(before - 1);
  expect(told).toBeLessThan(after + 1);
});

it("without aging finds nothing due, and says how to age", async () => {
  const { story, tierkeep, output } = await storyOf({ forceAge: false });
  await story.tell();
  expect(await tiersOf(tierkeep)).toEqual([13, 0, 0]);
  expect(output.stdout.text).toContain("--force-age");
});

it.each([true, false])("dry changes nothing after the write (aging: %s)", async (forceAge) => {
  const { story, tierkeep } = await storyOf({ forceAge, dryRun: true });
  await story.tell();
  expect(await tiersOf(tierkeep)).toEqual([13, 0, 0]);
  const { nodes } = await tierkeep.lifecycleEventHistory({ first: 500 });
  expect(nodes.filter(({ type, dryRun }) => type !== "ARTIFACT_WRITTEN" && !dryRun)).toEqual([]);
});

it("fails where one byte is not what was written", async () => {
  const { story } = await storyOf({}, (tierkeep) => ({
    ...tierkeep,
    async download(key, options) {
      const download = await tierkeep.download(key, options);
      return {
        ...download,
        async bytes() {
          const bytes = await download.bytes();
          if (key.artifactId.startsWith("ledger_0008")) bytes[100] = (bytes[100] ?? 0) ^ 1;
          return bytes;
        },
      };
    },
  }));
  const failure = await story.tell().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(DemoFailure);
  expect(failure).toMatchObject({ damaged: true });
  expect((failure as Error).message).toContain("ledger_0008");
});

it("fails where a run does other than what was due", async () => {
  const { story } = await storyOf({}, (tierkeep) => ({
    ...tierkeep,
    // Somebody else has been quicker.
    async runLifecycle(args, options) {
      if (args.dryRun) await tierkeep.runLifecycle({ ...args, dryRun: false }, options);
      return tierkeep.runLifecycle(args, options);
    },
  }));
  await expect(story.tell()).rejects.toThrow("promotedToWarm is 0, and 13 were due");
});
