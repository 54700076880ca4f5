import { tmpdir } from "node:os";
import { describe, expect, it, vi } from "vitest";
import { DISK_STEPS, type DiskStep } from "../../src/files/disk.ts";
import type { Loss } from "../tiers/crash-loss.ts";
import { Story } from "./crash-story.ts";
import { COMMIT_STEPS } from "./crashing-catalog.ts";
import { SCENARIOS, type StoryStep } from "./scenarios.ts";
import { Violation } from "./violation.ts";

/** True: every crash with every loss, and every second crash on top. False: every crash once, with the losses in turn. */
const EXHAUSTIVE = process.env.MODEL_CHECK === "exhaustive";

/** Unsynced data that is lost: none (the process died), all, or some (the machine crashed). */
const LOSSES: readonly Loss[] = ["everything", "nothing", { seed: 1 }];

/** Steps that the engine does not take in these scenarios. */
const NOT_IN_THE_PROTOCOL = new Set([
  // Only a repair moves unknown objects to quarantine.
  "object.quarantine.rename",
  "object.quarantine.fsync",
  "object.quarantine.source.fsync",
  // Bytes do not rot in these scenarios.
  "commit damage",
  "committed damage",
  // Only when a file changes while it is ingested; see power-loss.thorough.test.ts.
  "take.undo",
  // Foreign files are durable here; in power-loss.thorough.test.ts they are not.
  "take.fsync",
]);

// Thousands of simulated processes take minutes on a slow machine.
vi.setConfig({ testTimeout: 600_000 });

const more: readonly StoryStep[] = [
  {
    do: "write",
    key: { tenantId: "globex", workflowId: "büro", artifactId: "報告書.pdf" },
    tier: "COLD",
    seed: 9,
    sizeBytes: 100,
  },
  { do: "drain" },
];

const reached = new Set<string>();

/** The steps of a story without a crash. */
async function stepsOf(acts: readonly StoryStep[]): Promise<readonly string[]> {
  return told(Story.begin({ dir: tmpdir() }), async (story) => {
    expect(await story.live(acts, Number.POSITIVE_INFINITY, "nothing")).toBe(true);
    const steps = [...story.steps];
    await story.check();
    return steps;
  });
}

async function told<T>(story: Story, tell: (story: Story) => Promise<T>): Promise<T> {
  using own = story;
  try {
    return await tell(own);
  } finally {
    for (const step of own.steps) reached.add(step);
  }
}

async function crashAfter(
  lastStep: number,
  acts: readonly StoryStep[],
  lose: Loss,
  omit?: DiskStep,
): Promise<void> {
  await told(Story.begin({ dir: tmpdir(), omit }), async (story) => {
    await story.live(acts, lastStep, lose);
    await story.check();
  });
}

describe("a reindex of a lost catalog", () => {
  const before: readonly StoryStep[] = [
    ...(SCENARIOS["moves change the tier and nothing else"] ?? []),
    ...more,
  ];
  const rebuild: readonly StoryStep[] = [{ do: "adopt" }, { do: "drain" }];

  it("restores every published artifact when it crashes at any step and is run again", async () => {
    let died = true;
    for (let lastStep = 0; died; lastStep += EXHAUSTIVE ? 1 : 3) {
      await told(Story.begin({ dir: tmpdir() }), async (story) => {
        await story.live(before, Number.POSITIVE_INFINITY, "nothing");
        story.loseCatalog();
        died = !(await story.live(rebuild, lastStep, LOSSES[lastStep % LOSSES.length] ?? "nothing"));
        await story.live(rebuild, Number.POSITIVE_INFINITY, "nothing");
        await story.check().catch((error: unknown) => {
          throw Violation.when(`the first reindex crashed after ${lastStep} steps`, error);
        });
      });
    }
  });
});

describe("a crash at any step loses no acknowledged change and leaves no partial change", () => {
  it.each(Object.entries(SCENARIOS))("%s", async (_name, acts) => {
    const { length } = await stepsOf(acts);
    for (let lastStep = 0; lastStep <= length; lastStep++) {
      const losses = EXHAUSTIVE ? LOSSES : LOSSES.slice(lastStep % LOSSES.length).slice(0, 1);
      for (const lose of losses) await crashAfter(lastStep, acts, lose);
    }
  });

  it.each(Object.entries(SCENARIOS))("a second crash during recovery: %s", async (_name, acts) => {
    const { length } = await stepsOf(acts);
    for (let lastStep = 5; lastStep < length; lastStep += EXHAUSTIVE ? 3 : 41) {
      let recovered = false;
      for (let again = 0; !recovered; again += EXHAUSTIVE ? 1 : 3) {
        await told(Story.begin({ dir: tmpdir() }), async (story) => {
          await story.live(acts, lastStep, { seed: lastStep });
          recovered = await story.live([{ do: "drain" }], again, { seed: again });
          await story.check();
        });
      }
    }
  });

  it("covers every step of the engine and its drivers with a crash point", () => {
    const named = [...DISK_STEPS, ...COMMIT_STEPS.flatMap((kind) => [`commit ${kind}`, `committed ${kind}`])];
    expect(named.filter((step) => !reached.has(step) && !NOT_IN_THE_PROTOCOL.has(step))).toEqual([]);
    expect([...reached].filter((step) => !named.includes(step))).toEqual([]);
  });
});

describe("the crash model detects an omitted sync", () => {
  const syncs = DISK_STEPS.filter((step) => step.endsWith(".fsync") && !NOT_IN_THE_PROTOCOL.has(step));

  it.each(syncs)("%s", async (omit) => {
    await expect(findsViolation(omit)).resolves.toBe(true);
  });

  async function findsViolation(omit: DiskStep): Promise<boolean> {
    for (const acts of Object.values(SCENARIOS)) {
      const steps = await stepsOf(acts);
      if (!steps.includes(omit)) continue;
      for (let lastStep = steps.length; lastStep > 0; lastStep--) {
        try {
          await crashAfter(lastStep, acts, "everything", omit);
        } catch {
          return true;
        }
      }
    }
    return false;
  }
});
