import { rmSync } from "node:fs";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { afterAll, expect, it } from "vitest";
import { whole } from "../../testing/catalog/sample-changes.ts";
import type { SimulatedProcess } from "../../testing/crash-model/simulated-process.ts";
import { CODES, type Fault, FaultInjector } from "../../testing/faults/fault-injector.ts";
import { jobsOf } from "../../testing/stores/engine-services.ts";
import { TEST_ADMIN } from "../../testing/stores/engine-store.ts";
import { inProcess, outcomeOf, RECOVERABLE, RepairableStore } from "../../testing/stores/repairable-store.ts";

/** Each error code makes every ninth call fail. */
const STRIDE = 9;

let faults = 0;

afterAll(() => console.log(`${faults} faults`));

/**
 * Repairs while one call fails, then repairs again. Returns the second job; null if there were fewer calls.
 */
async function repairDespite(simulated: SimulatedProcess, injector: FaultInjector, fault: Fault) {
  const problems: string[] = [];
  const jobs = jobsOf(simulated.engine, {
    onProblem: (message, error) => problems.push(`${message}: ${error}`),
  });
  const repair = () => jobs.verify(TEST_ADMIN, { repair: true, waitSeconds: 60 });
  try {
    injector.arm(fault);
    const refused = await repair().then(
      () => null,
      (error: unknown) => error,
    );
    if (injector.lift().size === 0) return null;
    if (refused !== null) expect(refused, String(refused)).toBeInstanceOf(Refused);
    await expect.poll(() => simulated.engine.catalog.runningJobs(), { interval: 5 }).toEqual([]);
    await simulated.drain();
    return await repair();
  } finally {
    await jobs.stop();
  }
}

it.each(CODES.flatMap((code, index) => ({ code, first: index * 3 + 1 })))(
  "a repair with a failing call ($code) ends and loses nothing, and the next repair fixes the rest",
  async ({ code, first }) => {
    using store = await RepairableStore.make();
    for (let nth = first; ; nth += STRIDE) {
      const root = store.copy();
      const injector = new FaultInjector();
      const where = `${code} at call ${nth}`;
      const isDone = await inProcess(root, { injector: injector }, async (simulated) => {
        const job = await repairDespite(simulated, injector, { code, nth, lasting: false });
        if (job === null) return true;
        faults += 1;
        const { damaged, miscounts, contents } = await outcomeOf(simulated, root, job);
        expect({ where, status: job.status, damaged, miscounts }).toEqual({
          where,
          status: "SUCCEEDED",
          damaged: ["unrecoverable"],
          miscounts: [],
        });
        const recovered = await simulated.engine.catalog.listEvents(
          { types: ["ARTIFACT_HEALED"] },
          "ASC",
          whole(100),
        );
        expect([where, recovered.map(({ artifactId }) => artifactId).sort()]).toEqual([where, RECOVERABLE]);
        expect([where, [...store.contents].filter((each) => !contents.has(each))]).toEqual([where, []]);
        return false;
      });
      rmSync(root, { recursive: true });
      if (isDone !== false) break;
    }
  },
  300_000,
);
