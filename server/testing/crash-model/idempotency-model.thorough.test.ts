import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { whole } from "../catalog/sample-changes.ts";
import type { Loss } from "../tiers/crash-loss.ts";
import { CrashPoint, SimulatedCrash } from "./crash-point.ts";
import type { Command } from "./expected.ts";
import { leftovers, violationsIn } from "./inspect.ts";
import { SimulatedProcess } from "./simulated-process.ts";

const LOSSES: readonly Loss[] = ["everything", "nothing", { seed: 1 }];
const key = { tenantId: "acme", workflowId: "nightly", artifactId: "a" };

/** Runs a command in a process that crashes after `lastStep` steps. Resolves with false if it crashed. */
async function runsToEnd(root: string, command: Command, lastStep: number, lose: Loss): Promise<boolean> {
  const crashPoint = new CrashPoint(lastStep);
  const simulated = await SimulatedProcess.begin(root, { clock: { now: () => 1_000 }, crashPoint, lose });
  if (simulated === null) return false;
  try {
    expect(await simulated.take(command)).toBeNull();
    await simulated.drain();
    return true;
  } catch (error) {
    if (error instanceof SimulatedCrash) return false;
    throw error;
  } finally {
    await simulated.end(lose);
  }
}

it.each([
  ["small", 100],
  ["large", 200_000],
])(
  "a %s write that is retried with its idempotency key after a crash at any step happens once",
  async (_size, sizeBytes) => {
    const command: Command = {
      do: "write",
      key,
      tier: "HOT",
      seed: 1,
      sizeBytes,
      ifAbsent: true,
      idempotencyKey: "k",
    };
    let ended = false;
    for (let lastStep = 0; !ended; lastStep++) {
      const root = mkdtempSync(join(tmpdir(), "tierkeep-model-"));
      try {
        const lose = LOSSES[lastStep % LOSSES.length] as Loss;
        ended = await runsToEnd(root, command, lastStep, lose);
        expect(await runsToEnd(root, command, Number.POSITIVE_INFINITY, "nothing")).toBe(true);
        const simulated = await SimulatedProcess.begin(root, {
          clock: { now: () => 1_000 },
          crashPoint: new CrashPoint(),
          lose: "nothing",
        });
        if (simulated === null) throw new Error("The process did not start.");
        const events = await simulated.engine.catalog.listEvents({}, "ASC", whole());
        expect(events.map(({ type }) => type)).toEqual(["ARTIFACT_WRITTEN"]);
        expect(await violationsIn(simulated, root)).toEqual([]);
        expect(leftovers(root)).toEqual([]);
        await simulated.end("nothing");
      } finally {
        rmSync(root, { recursive: true });
      }
    }
  },
  120_000,
);
