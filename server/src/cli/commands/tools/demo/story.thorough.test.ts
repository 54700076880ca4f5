import type { Tierkeep } from "@tierkeep/sdk";
import { afterEach, expect, it } from "vitest";
import { capturedOutput } from "../../../../../testing/cli/captured-output.ts";
import { type ClientStore, openClientStore } from "../../../../../testing/cli/client-store.ts";
import { DemoClock } from "./clock.ts";
import { DemoFailure } from "./library.ts";
import { type DemoOptions, DemoStory, daysToAdvance } from "./story.ts";

let store: ClientStore | undefined;

afterEach(async () => {
  await store?.[Symbol.asyncDispose]();
  store = undefined;
});

async function storyOf(
  options: Partial<DemoOptions>,
  around: (tierkeep: Tierkeep) => Tierkeep = (same) => same,
) {
  const chosen: DemoOptions = { tenant: "acme", count: 13, forceAge: true, dryRun: false, ...options };
  const clock = new DemoClock(-daysToAdvance(chosen));
  store = await openClientStore(clock);
  const { tierkeep } = store;
  const output = capturedOutput();
  return { tierkeep, clock, output, story: new DemoStory(around(tierkeep), clock, chosen, output) };
}

const tiersOf = async (tierkeep: Tierkeep) =>
  (await tierkeep.tierStats()).map(({ artifactCount }) => artifactCount);

it("the demo moves documents from hot to purged, restores some, and ends at the present time", async () => {
  const { story, tierkeep, clock } = await storyOf({});
  await story.run();
  // Two of 13 are restored from warm and one of the other 11 from cold. The rest is purged.
  expect(story.tally).toMatchObject({ written: 13, restored: 3, purged: 10 });
  expect(await tiersOf(tierkeep)).toEqual([0, 1, 2]);
  const [before, shown, after] = [Date.now(), clock.now(), Date.now()];
  // Offsets are fractions of days, so their sum has a rounding error.
  expect(shown).toBeGreaterThan(before - 1);
  expect(shown).toBeLessThan(after + 1);
});

it("the demo without --force-age finds nothing due and suggests --force-age", async () => {
  const { story, tierkeep, output } = await storyOf({ forceAge: false });
  await story.run();
  expect(await tiersOf(tierkeep)).toEqual([13, 0, 0]);
  expect(output.stdout.text).toContain("--force-age");
});

it.each([true, false])(
  "the demo's dry run changes nothing after the write (--force-age: %s)",
  async (forceAge) => {
    const { story, tierkeep } = await storyOf({ forceAge, dryRun: true });
    await story.run();
    expect(await tiersOf(tierkeep)).toEqual([13, 0, 0]);
    const { nodes } = await tierkeep.lifecycleEventHistory({ first: 500 });
    expect(nodes.filter(({ type, dryRun }) => type !== "ARTIFACT_WRITTEN" && !dryRun)).toEqual([]);
  },
);

it("the demo fails if one byte differs from what was written", async () => {
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
  const failure = await story.run().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(DemoFailure);
  expect(failure).toMatchObject({ damaged: true });
  expect((failure as Error).message).toContain("ledger_0008");
});

it("the demo fails if a run does not move exactly the due artifacts", async () => {
  const { story } = await storyOf({}, (tierkeep) => ({
    ...tierkeep,
    // Another client runs the lifecycle first.
    async runLifecycle(args, options) {
      if (args.dryRun) await tierkeep.runLifecycle({ ...args, dryRun: false }, options);
      return tierkeep.runLifecycle(args, options);
    },
  }));
  await expect(story.run()).rejects.toThrow("promotedToWarm is 0, but 13 were due");
});
