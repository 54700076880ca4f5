import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { MANIFEST_FILE } from "../src/backup/manifest.ts";
import { CommandProcess, type Ended } from "./command-process.ts";
import { type AuditStore, changeArtifacts, runJobs } from "./crash/clients.ts";
import { eventually } from "./crash/eventually.ts";
import { inspect } from "./crash/inspect.ts";
import { PossibleStates } from "./crash/possible-states.ts";
import { auditLinesIn } from "./crash/store-on-disk.ts";
import { verifyAuditLog } from "./crash/verify-audit-log.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { ServedStore } from "./served-store.ts";
import type { ProofRun, ProofSuite } from "./suite.ts";

const CLIENTS = 6;
const ARTIFACTS_EACH = 12;
/** Between one backup and the next. */
const CHANGES = 100;
/** They are waited for this long. */
const WAIT_TIMEOUT_MS = 60_000;
/** Of a backup that is ended, after its first file. */
const MOST_LIFE_MS = 1_000;

export const backup: ProofSuite = {
  name: "backup",
  claim:
    "A backup taken under load has all that was acknowledged before it; one that is killed or interrupted is whole or none.",
  unit: "backups",
  cycles: 6,
  isEachAlone: false,
  open: async (dir) => {
    const served = join(dir, "served");
    await mkdir(served);
    return new Backups(dir, await ServedStore.start(served));
  },
};

class Backups implements ProofRun {
  readonly #dir: string;
  readonly #store: ServedStore;
  readonly #states = new PossibleStates();
  readonly #tally = { acknowledged: 0, unanswered: 0 };
  /** From the first cycle to the end of the server. */
  #load: Promise<unknown> | null = null;
  #isLoadOver = false;
  #compared = 0;
  #endedEarly = 0;
  #whole = 0;

  constructor(dir: string, store: ServedStore) {
    this.#dir = dir;
    this.#store = store;
  }

  get figures(): Readonly<Record<string, number>> {
    return {
      "changes acknowledged": this.#tally.acknowledged,
      compared: this.#compared,
      "ended early": this.#endedEarly,
      "whole all the same": this.#whole,
    };
  }

  async cycle(random: SeededRandom, signal?: AbortSignal): Promise<readonly string[]> {
    this.#load ??= this.#begin({ url: this.#store.url, random, states: this.#states, tally: this.#tally });
    const taken = this.#compared + this.#endedEarly;
    await this.#acknowledged((taken + 1) * CHANGES, signal);
    const into = join(this.#dir, "backup");
    const found = taken % 2 === 0 ? await this.#compare(into) : await this.#endEarly(into, random);
    if (found.length === 0) await rm(into, { recursive: true, force: true });
    return found;
  }

  /** The server's own store must be as if there had been no backup; what a dead one held back is removed by now. */
  async finish(): Promise<readonly string[]> {
    await this.#store.kill();
    await this.#load;
    await this.#store.restart();
    const found = await inspect(this.#store, this.#states);
    await this.#store.stop();
    return [...found, ...(await verifyAuditLog(this.#store))];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
    await this.#load?.catch(() => {});
  }

  #begin(world: AuditStore): Promise<unknown> {
    const load = Promise.all([
      ...Array.from({ length: CLIENTS }, (_, n) => changeArtifacts(world, `tenant-${n}`, ARTIFACTS_EACH)),
      runJobs(world, "aging", ARTIFACTS_EACH * 2),
    ]);
    const isOver = () => {
      this.#isLoadOver = true;
    };
    load.then(isOver, isOver);
    return load;
  }

  async #acknowledged(changes: number, signal?: AbortSignal): Promise<void> {
    const giveUp = Date.now() + WAIT_TIMEOUT_MS;
    while (this.#tally.acknowledged < changes) {
      signal?.throwIfAborted();
      if (this.#isLoadOver) {
        await this.#load;
        throw new Error("The server went away by itself.");
      }
      if (Date.now() > giveUp)
        throw new Error(`Only ${this.#tally.acknowledged} of ${changes} changes went through.`);
      await pause(20);
    }
  }

  async #compare(into: string): Promise<readonly string[]> {
    const before = this.#tally.acknowledged;
    // What each artifact may be in it: as it is now, or as anything makes it that is asked from now on.
    const possible = this.#states.fork();
    const taken = await run(this.#store.dir, "backup", into, "--json");
    this.#states.join(possible);
    if (taken.code !== 0) return [`A backup ${shown(taken)}.`];
    const { seq } = JSON.parse(taken.stdout);
    if (seq < before) return [`A backup ends with event ${seq}, after ${before} changes were acknowledged.`];

    const dir = join(this.#dir, "restored");
    await mkdir(dir);
    const restored = await run(dir, "restore-backup", into);
    if (restored.code !== 0) return [`restore-backup ${shown(restored)}.`];
    await using again = await ServedStore.start(dir);
    const found = [
      ...(await compareLogs(this.#store, again, seq)),
      ...(await inspect(again, possible)).map((sentence) => `In a backup: ${sentence}`),
    ];
    await again.stop();
    found.push(...(await verifyAuditLog(again)));
    if (found.length === 0) await rm(dir, { recursive: true });
    this.#compared += 1;
    return found;
  }

  async #endEarly(into: string, random: SeededRandom): Promise<readonly string[]> {
    const signal = this.#endedEarly % 2 === 0 ? "SIGKILL" : "SIGINT";
    await using command = new CommandProcess(this.#store.dir, ["backup", into]);
    let isOver = false;
    const over = command.ended.then(() => {
      isOver = true;
    });
    while (!isOver && !existsSync(into)) await pause(5);
    await Promise.race([pause(random.between(0, MOST_LIFE_MS)), over]);
    command.child.kill(signal);
    const { code } = await command.ended;
    this.#endedEarly += 1;
    if (code === 130 && existsSync(into)) return ["A backup that was interrupted has left its folder."];
    const isWhole = existsSync(join(into, MANIFEST_FILE));
    const verified = await run(this.#dir, "restore-backup", into, "--verify");
    const isReported = isWhole
      ? verified.code === 0
      : verified.code === 3 &&
        verified.stderr.includes(`${MANIFEST_FILE}, which is written last, does not exist`);
    if (isWhole && isReported) this.#whole += 1;
    return isReported
      ? []
      : [
          `After ${signal}, --verify of a backup ${isWhole ? "with" : "without"} its manifest ${shown(verified)}.`,
        ];
  }
}

/** The log that comes with a backup is the beginning of the server's. */
async function compareLogs(
  store: ServedStore,
  restored: ServedStore,
  lines: number,
): Promise<readonly string[]> {
  const own = () => auditLinesIn(store).slice(0, lines);
  return [
    ...(await eventually("the server has logged what the backup knows", async () =>
      own().length === lines ? [] : [`${own().length} of ${lines} lines are there`],
    )),
    ...(await eventually("the log of a backup is the beginning of the server's", async () =>
      isDeepStrictEqual(auditLinesIn(restored).slice(0, lines), own()) ? [] : ["it is another one"],
    )),
  ];
}

async function run(dir: string, ...args: readonly string[]): Promise<Ended> {
  await using command = new CommandProcess(dir, args);
  return await command.ended;
}

function shown({ code, signal, stdout, stderr }: Ended): string {
  return `ended with ${code ?? signal}: ${`${stderr}${stdout}`.trim()}`;
}
