import { tmpdir } from "node:os";
import { describe, expect, it, vi } from "vitest";
import { DISK_STEPS, type DiskStep } from "../../src/files/disk.ts";
import type { Loss } from "../tiers/crash-loss.ts";
import { COMMIT_STEPS } from "./crashing-catalog.ts";
import { type Act, SCENARIOS } from "./scenarios.ts";
import { StoreHistory } from "./store-history.ts";
import { Violation } from "./violation.ts";

/** True: each crash with each loss, and each second crash. Otherwise each crash once, with the losses in turn. */
const EXHAUSTIVE = process.env.MODEL_CHECK === "exhaustive";

/** Loss of unsynced data: nothing (a process crash), everything or a part (a power loss). */
const LOSSES: readonly Loss[] = ["everything", "nothing", { seed: 1 }];

/** Steps that these scenarios do not take. */
const NOT_IN_THE_PROTOCOL = new Set([
  // Quarantine is an operator's decision.
  "object.quarantine.rename",
  "object.quarantine.fsync",
  "object.quarantine.source.fsync",
  // An event about damaged bytes, which has no effects.
  "commit damage",
  "committed damage",
  // Only if another process writes to a file while it is adopted. power-loss.thorough.test.ts does that.
  "take.undo",
  // Foreign files are already synced here. In power-loss.thorough.test.ts they are not.
  "take.fsync",
]);

/** Thousands of simulated processes take minutes on a slow machine. */
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

/** Returns the steps of the acts without a crash. */
async function stepsOf(acts: readonly Act[]): Promise<readonly string[]> {
  return recordingSteps(StoreHistory.create({ dir: tmpdir() }), async (history) => {
    expect(await history.run(acts, Number.POSITIVE_INFINITY, "nothing")).toBe(true);
    const steps = [...history.steps];
    await history.check();
    return steps;
  });
}

/** Runs `work` on a history, then disposes it and adds its steps to `reached`. */
async function recordingSteps<T>(
  history: StoreHistory,
  work: (history: StoreHistory) => Promise<T>,
): Promise<T> {
  using own = history;
  try {
    return await work(own);
  } finally {
    for (const step of own.steps) reached.add(step);
  }
}

async function crashAfter(
  lastStep: number,
  acts: readonly Act[],
  lose: Loss,
  omit?: DiskStep,
): Promise<void> {
  await recordingSteps(StoreHistory.create({ dir: tmpdir(), omit }), async (history) => {
    await history.run(acts, lastStep, lose);
    await history.check();
  });
}

describe("a rebuild of a lost catalog", () => {
  const before: readonly Act[] = [...(SCENARIOS["moves change the tier and nothing else"] ?? []), ...more];
  const rebuild: readonly Act[] = [{ do: "adopt" }, { do: "drain" }];

  it("recovers everything that was published, after a crash at any step and a second attempt", async () => {
    let crashed = true;
    for (let lastStep = 0; crashed; lastStep += EXHAUSTIVE ? 1 : 3) {
      await recordingSteps(StoreHistory.create({ dir: tmpdir() }), async (history) => {
        await history.run(before, Number.POSITIVE_INFINITY, "nothing");
        history.loseCatalog();
        crashed = !(await history.run(rebuild, lastStep, LOSSES[lastStep % LOSSES.length] ?? "nothing"));
        await history.run(rebuild, Number.POSITIVE_INFINITY, "nothing");
        await history.check().catch((error: unknown) => {
          throw Violation.when(`rebuilt for ${lastStep} steps at first`, error);
        });
      });
    }
  });
});

describe("a crash at any step keeps every acknowledged change and leaves no partial one", () => {
  it.each(Object.entries(SCENARIOS))("%s", async (_name, acts) => {
    const { length } = await stepsOf(acts);
    for (let lastStep = 0; lastStep <= length; lastStep++) {
      const losses = EXHAUSTIVE ? LOSSES : LOSSES.slice(lastStep % LOSSES.length).slice(0, 1);
      for (const lose of losses) await crashAfter(lastStep, acts, lose);
    }
  });

  it.each(Object.entries(SCENARIOS))("with a second crash during recovery: %s", async (_name, acts) => {
    const { length } = await stepsOf(acts);
    for (let lastStep = 5; lastStep < length; lastStep += EXHAUSTIVE ? 3 : 41) {
      let recovered = false;
      for (let second = 0; !recovered; second += EXHAUSTIVE ? 1 : 3) {
        await recordingSteps(StoreHistory.create({ dir: tmpdir() }), async (history) => {
          await history.run(acts, lastStep, { seed: lastStep });
          recovered = await history.run([{ do: "drain" }], second, { seed: second });
          await history.check();
        });
      }
    }
  });

  it("covers every step of the engine and its drivers", () => {
    const named = [...DISK_STEPS, ...COMMIT_STEPS.flatMap((kind) => [`commit ${kind}`, `committed ${kind}`])];
    expect(named.filter((step) => !reached.has(step) && !NOT_IN_THE_PROTOCOL.has(step))).toEqual([]);
    expect([...reached].filter((step) => !named.includes(step))).toEqual([]);
  });
});

describe("the check detects an omitted sync", () => {
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
          await crashAfter(lastStep, acts, "everything", omit);
        } catch {
          return true;
        }
      }
    }
    return false;
  }
});
