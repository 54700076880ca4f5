import { setTimeout as pause } from "node:timers/promises";
import { changeArtifacts, runJobs } from "./crash/clients.ts";
import { inspect } from "./crash/inspect.ts";
import { PossibleStates } from "./crash/possible-states.ts";
import { verifyAuditLog } from "./crash/verify-audit-log.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { ServedStore } from "./served-store.ts";
import type { ProofRun, ProofSuite } from "./suite.ts";

const CLIENTS = 8;
const ARTIFACTS_EACH = 8;
/** Time under load from a server's first acknowledged change until it is killed. */
const UPTIME_MS = { least: 20, most: 1_000 };
/** How long a cycle waits for the first acknowledged change. */
const WAIT_TIMEOUT_MS = 10_000;

export const crash: ProofSuite = {
  name: "crash",
  claim:
    "A server killed under load keeps every acknowledged change. A change without a response is applied completely or not at all.",
  unit: "kills",
  cycles: 25,
  isEachAlone: false,
  open: async (dir) => new Crash(await ServedStore.start(dir)),
};

class Crash implements ProofRun {
  readonly #store: ServedStore;
  readonly #states = new PossibleStates();
  readonly #tally = { acknowledged: 0, unanswered: 0 };

  constructor(store: ServedStore) {
    this.#store = store;
  }

  get figures(): Readonly<Record<string, number>> {
    const { acknowledged, unanswered } = this.#tally;
    return { "changes acknowledged": acknowledged, "changes without an answer": unanswered };
  }

  async cycle(random: SeededRandom, signal?: AbortSignal): Promise<readonly string[]> {
    const store = this.#store;
    const load = { url: store.url, random, states: this.#states, tally: this.#tally };
    const uptimeMs = random.between(UPTIME_MS.least, UPTIME_MS.most);
    await Promise.all([
      ...Array.from({ length: CLIENTS }, (_, n) => changeArtifacts(load, `tenant-${n}`, ARTIFACTS_EACH)),
      runJobs(load, "aging", ARTIFACTS_EACH * 3),
      this.#killAfter(uptimeMs),
    ]);
    if (signal?.aborted) return [];
    await store.restart();
    return await inspect(store, this.#states);
  }

  async #killAfter(uptimeMs: number): Promise<void> {
    const before = this.#tally.acknowledged;
    const deadline = Date.now() + WAIT_TIMEOUT_MS;
    while (this.#tally.acknowledged === before && Date.now() < deadline) await pause(5);
    await pause(uptimeMs);
    await this.#store.kill();
  }

  async finish(): Promise<readonly string[]> {
    await this.#store.stop();
    return await verifyAuditLog(this.#store);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }
}
