import { tmpdir } from "node:os";
import { describe, expect, it, vi } from "vitest";
import { DISK_STEPS, type DiskStep } from "../../src/files/disk.ts";
import type { Loss } from "../tiers/crash-loss.ts";
import { Story } from "./crash-story.ts";
import { COMMIT_STEPS } from "./crashing-catalog.ts";
import { type Act, SCENARIOS } from "./scenarios.ts";
import { Violation } from "./violation.ts";

/** True: every death with every loss, and every second death on top of it. Else every death once, with each loss in turn. */
const EXHAUSTIVE = process.env.MODEL_CHECK === "exhaustive";

/** Of what was not synced: nothing is lost (the process died), everything, or some of it (the machine died). */
const LOSSES: readonly Loss[] = ["everything", "nothing", { seed: 1 }];

/** What the engine never asks of its drivers, or does without a change that could be torn. */
const NOT_IN_THE_PROTOCOL = new Set([
  // Moving strays away is an operator's decision.
  "object.quarantine.rename",
  "object.quarantine.fsync",
  "object.quarantine.source.fsync",
  // An event about bytes that rotted by themselves; nothing follows from it.
  "commit damage",
  "committed damage",
  // Only where somebody writes to a file just while it is taken up; power-loss.thorough.test.ts does.
  "take.undo",
  // Strangers' files are on the disk here, whoever synced them; in power-loss.thorough.test.ts they are not.
  "take.fsync",
]);

/** Thousands of lives take as long as the machine needs. */
vi.setConfig({ testTimeout: 600_000 });

const more: readonly Act[] = [
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

/** The steps that the acts take when nothing goes wrong. */
async function stepsOf(acts: readonly Act[]): Promise<readonly string[]> {
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

async function dieAfter(lastStep: number, acts: readonly Act[], lose: Loss, omit?: DiskStep): Promise<void> {
  await told(Story.begin({ dir: tmpdir(), omit }), async (story) => {
    await story.live(acts, lastStep, lose);
    await story.check();
  });
}

describe("a rebuild of a lost catalog", () => {
  const before: readonly Act[] = [...(SCENARIOS["moves change the place and nothing else"] ?? []), ...more];
  const rebuild: readonly Act[] = [{ do: "adopt" }, { do: "drain" }];

  it("brings everything back that was published, though it dies at any step and is begun again", async () => {
    let died = true;
    for (let lastStep = 0; died; lastStep += EXHAUSTIVE ? 1 : 3) {
      await told(Story.begin({ dir: tmpdir() }), async (story) => {
        await story.live(before, Number.POSITIVE_INFINITY, "nothing");
        story.loseCatalog();
        died = !(await story.live(rebuild, lastStep, LOSSES[lastStep % LOSSES.length] ?? "nothing"));
        await story.live(rebuild, Number.POSITIVE_INFINITY, "nothing");
        await story.check().catch((error: unknown) => {
          throw Violation.when(`rebuilt for the first time for ${lastStep} steps`, error);
        });
      });
    }
  });
});

describe("a death at any step loses nothing that was acknowledged and leaves nothing half done", () => {
  it.each(Object.entries(SCENARIOS))("%s", async (_name, acts) => {
    const { length } = await stepsOf(acts);
    for (let lastStep = 0; lastStep <= length; lastStep++) {
      const losses = EXHAUSTIVE ? LOSSES : LOSSES.slice(lastStep % LOSSES.length).slice(0, 1);
      for (const lose of losses) await dieAfter(lastStep, acts, lose);
    }
  });

  it.each(Object.entries(SCENARIOS))("nor does a second one during recovery: %s", async (_name, acts) => {
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

  it("and there is a boundary at every step that the engine and its drivers take", () => {
    const named = [...DISK_STEPS, ...COMMIT_STEPS.flatMap((kind) => [`commit ${kind}`, `committed ${kind}`])];
    expect(named.filter((step) => !reached.has(step) && !NOT_IN_THE_PROTOCOL.has(step))).toEqual([]);
    expect([...reached].filter((step) => !named.includes(step))).toEqual([]);
  });
});

describe("the check sees it when a sync is left out", () => {
  const syncs = DISK_STEPS.filter((step) => step.endsWith(".fsync") && !NOT_IN_THE_PROTOCOL.has(step));

  it.each(syncs)("%s", async (omit) => {
    await expect(searchForBreach(omit)).resolves.toBe(true);
  });

  async function searchForBreach(omit: DiskStep): Promise<boolean> {
    for (const acts of Object.values(SCENARIOS)) {
      const steps = await stepsOf(acts);
      if (!steps.includes(omit)) continue;
      for (let lastStep = steps.length; lastStep > 0; lastStep--) {
        try {
          await dieAfter(lastStep, acts, "everything", omit);
        } catch {
          return true;
        }
      }
    }
    return false;
  }
});
