import process from "node:process";
import { describe, expect, it } from "vitest";
import { pause } from "../events/resuming-client.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { runCommand, startServer } from "../support/server.ts";
import { changeArtifacts, runJobs, type World } from "./clients.ts";
import { inspect } from "./inspect.ts";
import { PossibleStates } from "./possible-states.ts";

/** More by hand: CRASH_CYCLES=1000 */
const CYCLES = Number(process.env.CRASH_CYCLES ?? 50);
const CLIENTS = 8;
const ARTIFACTS_EACH = 8;
/** Of a server's life under load, from its first change to its end. */
const LIFE_MS = { least: 20, most: 1_000 };

describe("a server under load that is killed with SIGKILL", () => {
  it(`keeps what it acknowledged, ${CYCLES} times over`, async () => {
    const random = seededRandom();
    const states = new PossibleStates();
    const tally = { acknowledged: 0, unanswered: 0 };
    await using server = await startServer({ env: { TIERKEEP_ALLOW_AS_OF: "true" } });
    for (let cycle = 1; cycle <= CYCLES; cycle += 1) {
      const world: World = { url: server.url, random, states, tally };
      const clients = [
        ...Array.from({ length: CLIENTS }, (_, n) => changeArtifacts(world, `tenant-${n}`, ARTIFACTS_EACH)),
        runJobs(world, "aging", ARTIFACTS_EACH * 3),
      ];
      const dying = pause(random.between(LIFE_MS.least, LIFE_MS.most)).then(() => server.kill("SIGKILL"));
      await Promise.all([...clients, dying]);
      await server.restart();
      expect(await inspect(server, states), `cycle ${cycle}`).toEqual([]);
    }
    console.info(
      `${CYCLES} kills (seed ${random.seed}): ${tally.acknowledged} changes acknowledged, ${tally.unanswered} without an answer`,
    );
    expect(tally.acknowledged).toBeGreaterThan(CYCLES * CLIENTS);
    expect(tally.unanswered).toBeGreaterThan(CYCLES);
    await server.stop();
    const verified = await runCommand(["audit", "verify", "--json"], { cwd: server.dir });
    expect(verified.code, verified.stdout).toBe(0);
  }, 900_000);
});
