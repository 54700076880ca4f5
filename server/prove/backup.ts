import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { MANIFEST_FILE } from "../src/backup/manifest.ts";
import { CommandProcess, type Ended } from "./command-process.ts";
import { type ClientContext, changeArtifacts, runJobs } from "./crash/clients.ts";
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
/** Acknowledged changes between two backups. */
const CHANGES = 100;
/** How long a cycle waits for them. */
const WAIT_TIMEOUT_MS = 60_000;
/** The longest time from a backup's first file until it is killed or interrupted. */
const LONGEST_RUN_MS = 1_000;

export const backup: ProofSuite = {
  name: "backup",
  claim:
    "A backup under load contains every change acknowledged before it started. A killed or interrupted backup is complete or absent.",
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
  /** Runs from the first cycle until the server is killed. */
  #load: Promise<unknown> | null = null;
  #isLoadOver = false;
  #compared = 0;
  #endedEarly = 0;
  #complete = 0;

  constructor(dir: string, store: ServedStore) {
    this.#dir = dir;
    this.#store = store;
  }

  get figures(): Readonly<Record<string, number>> {
    return {
      "changes acknowledged": this.#tally.acknowledged,
      compared: this.#compared,
      "ended early": this.#endedEarly,
      "complete despite that": this.#complete,
    };
  }

  async cycle(random: SeededRandom, signal?: AbortSignal): Promise<readonly string[]> {
    this.#load ??= this.#startLoad({
      url: this.#store.url,
      random,
      states: this.#states,
      tally: this.#tally,
    });
    const backups = this.#compared + this.#endedEarly;
    await this.#waitForChanges((backups + 1) * CHANGES, signal);
    const into = join(this.#dir, "backup");
    const found = backups % 2 === 0 ? await this.#compare(into) : await this.#endEarly(into, random);
    if (found.length === 0) await rm(into, { recursive: true, force: true });
    return found;
  }

  /** Checks the server's own store after a restart. Backups must not have changed it, and killed ones must hold nothing back. */
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

  #startLoad(context: ClientContext): Promise<unknown> {
    const load = Promise.all([
      ...Array.from({ length: CLIENTS }, (_, n) => changeArtifacts(context, `tenant-${n}`, ARTIFACTS_EACH)),
      runJobs(context, "aging", ARTIFACTS_EACH * 2),
    ]);
    const isOver = () => {
      this.#isLoadOver = true;
    };
    load.then(isOver, isOver);
    return load;
  }

  async #waitForChanges(changes: number, signal?: AbortSignal): Promise<void> {
    const deadline = Date.now() + WAIT_TIMEOUT_MS;
    while (this.#tally.acknowledged < changes) {
      signal?.throwIfAborted();
      if (this.#isLoadOver) {
        await this.#load;
        throw new Error("The server stopped unexpectedly.");
      }
      if (Date.now() > deadline)
        throw new Error(`Only ${this.#tally.acknowledged} of ${changes} changes were acknowledged in time.`);
      await pause(20);
    }
  }

  async #compare(into: string): Promise<readonly string[]> {
    const before = this.#tally.acknowledged;
    // The backup may contain each artifact as it is now, or as any later request makes it.
    const possible = this.#states.fork();
    const ended = await run(this.#store.dir, "backup", into, "--json");
    this.#states.join(possible);
    if (ended.code !== 0) return [`A backup ${shown(ended)}.`];
    const { seq } = JSON.parse(ended.stdout);
    if (seq < before)
      return [`The last event of a backup is ${seq}, but ${before} changes were acknowledged before it.`];

    const dir = join(this.#dir, "restored");
    await mkdir(dir);
    const restored = await run(dir, "restore-backup", into);
    if (restored.code !== 0) return [`restore-backup ${shown(restored)}.`];
    await using copy = await ServedStore.start(dir);
    const found = [
      ...(await compareLogs(this.#store, copy, seq)),
      ...(await inspect(copy, possible)).map((sentence) => `In a backup: ${sentence}`),
    ];
    await copy.stop();
    found.push(...(await verifyAuditLog(copy)));
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
    await Promise.race([pause(random.between(0, LONGEST_RUN_MS)), over]);
    command.child.kill(signal);
    const { code } = await command.ended;
    this.#endedEarly += 1;
    if (code === 130 && existsSync(into)) return ["An interrupted backup did not remove its folder."];
    const isComplete = existsSync(join(into, MANIFEST_FILE));
    const verified = await run(this.#dir, "restore-backup", into, "--verify");
    const isReported = isComplete
      ? verified.code === 0
      : verified.code === 3 &&
        verified.stderr.includes(`${MANIFEST_FILE}, which is written last, does not exist`);
    if (isComplete && isReported) this.#complete += 1;
    return isReported
      ? []
      : [
          `After ${signal}, --verify of a backup ${isComplete ? "with" : "without"} its manifest ${shown(verified)}.`,
        ];
  }
}

/** Checks that the audit log in a backup has the same first lines as the server's. */
async function compareLogs(
  store: ServedStore,
  restored: ServedStore,
  lines: number,
): Promise<readonly string[]> {
  const expected = () => auditLinesIn(store).slice(0, lines);
  return [
    ...(await eventually("the server's audit log should have every event of the backup", async () =>
      expected().length === lines ? [] : [`it has ${expected().length} of ${lines} lines`],
    )),
    ...(await eventually("the audit log of a backup should start like the server's", async () =>
      isDeepStrictEqual(auditLinesIn(restored).slice(0, lines), expected()) ? [] : ["its lines differ"],
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
