import { rmSync } from "node:fs";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { afterAll, expect, it } from "vitest";
import { whole } from "../catalog/contract/sample-changes.ts";
import { CODES, type Fault, Trouble } from "../engine/faults/trouble.ts";
import type { Life } from "../engine/model/life.ts";
import { SOMEBODY } from "../engine/opened-store.ts";
import { EngineJobs } from "./job-service.ts";
import { HEALED, inLife, outcomeOf, RepairableStore } from "./repair-world.ts";

/** One call in so many fails with each code. */
const STRIDE = 9;

let faults = 0;

afterAll(() => console.log(`${faults} faults`));

/** A repair while one of its calls fails, and another one afterwards. Null: there were fewer calls. */
async function repairDespite(life: Life, trouble: Trouble, fault: Fault) {
  const problems: string[] = [];
  const jobs = new EngineJobs({
    engine: life.engine,
    policy: () => ({ hotDays: 7, warmDays: 30, coldDays: 90 }),
    allowAsOf: false,
    onProblem: (message, error) => problems.push(`${message}: ${error}`),
  });
  const repair = () => jobs.verify(SOMEBODY, { repair: true, waitSeconds: 60 });
  try {
    trouble.arm(fault);
    const refused = await repair().then(
      () => null,
      (error: unknown) => error,
    );
    if (trouble.lift().size === 0) return null;
    if (refused !== null) expect(refused, String(refused)).toBeInstanceOf(Refused);
    await expect.poll(() => life.engine.catalog.runningJobs(), { interval: 5 }).toEqual([]);
    await life.drain();
    return await repair();
  } finally {
    await jobs.stop();
  }
}

it.each(CODES.flatMap((code, index) => ({ code, first: index * 3 + 1 })))(
  "a repair of which a call fails ($code) ends, loses nothing, and the next one mends what it has left",
  async ({ code, first }) => {
    using store = await RepairableStore.make();
    for (let nth = first; ; nth += STRIDE) {
      const root = store.copy();
      const trouble = new Trouble();
      const where = `${code} at call ${nth}`;
      const isDone = await inLife(root, { trouble }, async (life) => {
        const job = await repairDespite(life, trouble, { code, nth, lasting: false });
        if (job === null) return true;
        faults += 1;
        const { damaged, miscounts, contents } = await outcomeOf(life, root, job);
        expect({ where, status: job.status, damaged, miscounts }).toEqual({
          where,
          status: "SUCCEEDED",
          damaged: ["hopeless"],
          miscounts: [],
        });
        const healed = await life.engine.catalog.listEvents(
          { types: ["ARTIFACT_HEALED"] },
          "ASC",
          whole(100),
        );
        expect([where, healed.map(({ artifactId }) => artifactId).sort()]).toEqual([where, HEALED]);
        expect([where, [...store.contents].filter((each) => !contents.has(each))]).toEqual([where, []]);
        return false;
      });
      rmSync(root, { recursive: true });
      if (isDone !== false) break;
    }
  },
  300_000,
);
