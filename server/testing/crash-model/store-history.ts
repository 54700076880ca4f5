import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { keyText } from "@tierkeep/schema/domain/keys";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { RandomBytes } from "../../src/engine/new-object.ts";
import type { DiskStep } from "../../src/files/disk.ts";
import type { Loss } from "../tiers/crash-loss.ts";
import { drawing } from "../tiers/crash-loss.ts";
import { CrashPoint, SimulatedCrash } from "./crash-point.ts";
import { disagreements } from "./disagreements.ts";
import {
  adoptedArtifact,
  type Command,
  type Expected,
  type ExpectedArtifact,
  expectedOutcome,
} from "./expected.ts";
import { artifactsOf, FOREIGN_CONTENT, foreignFilesIn, leftovers, violationsIn } from "./inspect.ts";
import { bytesBy } from "./random-bytes.ts";
import type { Act } from "./scenarios.ts";
import { catalogPath, SimulatedProcess } from "./simulated-process.ts";
import { Violation } from "./violation.ts";

const START = Date.UTC(2026, 0, 1);

export interface HistoryOptions {
  /** The folder in which the store's folder is created. */
  readonly dir: string;
  /** Determines the names of objects, so that a history can be repeated. Default 0. */
  readonly seed?: number;
  /** A sync that every process leaves out. */
  readonly omit?: DiskStep | undefined;
}

/** The processes that run on a store one after the other, and the expected artifacts. */
export class StoreHistory {
  readonly root: string;
  /** The names of all steps of all processes. */
  readonly steps: string[] = [];
  /** The number of changes of artifacts by acknowledged commands. */
  acknowledged = 0;
  readonly #omit: DiskStep | undefined;
  readonly #random: RandomBytes;
  #now = START;
  #before: Expected = new Map();
  #after: Expected = new Map();
  #foreignFiles = 0;
  /** The time of the first answer to each idempotency key. */
  readonly #answered = new Map<string, number>();
  /** How the last process ended. Null before the first. */
  #ending: string | null = null;
  /** A write with an idempotency key and without an answer. The next process shows whether it happened. */
  #unanswered: { readonly path: string; readonly idempotencyKey: string; readonly at: number } | null = null;
  /** The artifacts that adoption finds in the tree. */
  readonly #found = new Map<string, ExpectedArtifact>();

  private constructor(root: string, omit: DiskStep | undefined, random: RandomBytes) {
    this.root = root;
    this.#omit = omit;
    this.#random = random;
  }

  /** Creates a new store. */
  static create({ dir, seed = 0, omit }: HistoryOptions): StoreHistory {
    return new StoreHistory(mkdtempSync(join(dir, "tierkeep-history-")), omit, bytesBy(drawing({ seed })));
  }

  /** Returns a copy of this history for a copy of the store in `root`, which it will remove. */
  fork(root: string): StoreHistory {
    const fork = new StoreHistory(root, this.#omit, this.#random);
    fork.#now = this.#now;
    fork.#before = this.#before;
    fork.#after = this.#after;
    fork.#foreignFiles = this.#foreignFiles;
    return fork;
  }

  /**
   * Runs the acts in a new process, up to a crash after `lastStep` steps. Resolves with true if it completed them.
   *
   * @param onStep called before each step; between two calls there is one commit, or one change to the tiers
   */
  async run(
    acts: readonly Act[],
    lastStep: number,
    lose: Loss,
    onStep: () => void = () => {},
  ): Promise<boolean> {
    const crashPoint = new CrashPoint(lastStep, onStep);
    const simulated = await SimulatedProcess.begin(this.root, this.#fate(crashPoint, lose));
    try {
      for (const act of simulated ? acts : []) await this.#act(simulated as SimulatedProcess, act);
      return simulated !== null;
    } catch (error) {
      if (error instanceof SimulatedCrash) return false;
      throw error;
    } finally {
      await simulated?.end(lose);
      this.steps.push(...crashPoint.steps);
      const last = crashPoint.steps.at(-1) ?? "none";
      this.#ending = `after ${crashPoint.steps.length} steps, the last ${last}, losing ${JSON.stringify(lose)}`;
    }
  }

  /** Checks the store in a new process, after its start and after its recovery. @throws Violation */
  async check(): Promise<void> {
    await this.#inspect().catch((error: unknown) => {
      throw this.#ending === null ? error : Violation.when(this.#ending, error);
    });
  }

  async #inspect(): Promise<void> {
    const crashPoint = new CrashPoint();
    const simulated = await SimulatedProcess.begin(this.root, this.#fate(crashPoint, "nothing"));
    if (!simulated) throw new Error("The process did not start.");
    try {
      const seen = await artifactsOf(simulated);
      Violation.unlessNone(disagreements(seen, this.#before, this.#after));
      Violation.unlessNone(await violationsIn(simulated, this.root));
      await simulated.drain();
      Violation.unlessNone(disagreements(await artifactsOf(simulated), seen, seen));
      Violation.unlessNone(await violationsIn(simulated, this.root));
      Violation.unlessNone(leftovers(this.root));
      this.#checkForeignFiles();
      this.#before = seen;
      this.#after = seen;
      if (seen.get(this.#unanswered?.path ?? "")?.modifiedAt === this.#unanswered?.at) this.#recordAnswer();
      this.#unanswered = null;
    } finally {
      await simulated.end("nothing");
      this.steps.push(...crashPoint.steps);
    }
  }

  /** Deletes the catalog, so that only the tree remains. */
  loseCatalog(): void {
    for (const end of ["", "-wal", "-shm"]) rmSync(`${catalogPath(this.root)}${end}`, { force: true });
    // The tree does not contain the tier that an artifact came from.
    for (const [path, artifact] of this.#before)
      this.#found.set(path, { ...artifact, promotedAt: null, promotedFrom: null });
    this.#before = new Map();
    this.#after = this.#before;
  }

  async #act(simulated: SimulatedProcess, act: Act): Promise<void> {
    this.#now += act.do === "wait" ? act.ms : 1;
    switch (act.do) {
      case "wait":
        return;
      case "drain":
        return simulated.drain();
      case "add foreign file":
        return this.#addForeignFile(join(this.root, act.path));
      default: {
        const command: Command = act.do === "adopt" ? { ...act, found: this.#found } : act;
        const { next, refused } = this.#isRepeat(command)
          ? { next: this.#after, refused: null }
          : expectedOutcome(this.#after, command, this.#now);
        this.#after = next;
        const answered = await simulated.take(command);
        if (answered !== refused) {
          const [is, mustBe] = [answered, refused].map((code) => code ?? "done");
          throw new Violation([`${JSON.stringify(command)} was ${is}, but must be ${mustBe}`]);
        }
        this.acknowledged += disagreements(next, this.#before, this.#before).length;
        this.#before = next;
        this.#recordAnswer();
      }
    }
  }

  /**
   * Returns whether the command repeats an answered write. Another write with an idempotency key becomes
   * `#unanswered`.
   */
  #isRepeat(act: Command): boolean {
    if (act.do !== "write" || act.idempotencyKey === undefined) return false;
    const { idempotencyKey } = act;
    const answeredAt = this.#answered.get(idempotencyKey) ?? Number.NEGATIVE_INFINITY;
    if (this.#now - answeredAt <= DAY_MS) return true;
    this.#unanswered = { path: keyText(act.key), idempotencyKey, at: this.#now };
    return false;
  }

  #recordAnswer(): void {
    if (this.#unanswered !== null) this.#answered.set(this.#unanswered.idempotencyKey, this.#unanswered.at);
    this.#unanswered = null;
  }

  #checkForeignFiles(): void {
    const count = foreignFilesIn(this.root);
    if (count !== this.#foreignFiles)
      throw new Violation([`there are ${count} foreign files, but must be ${this.#foreignFiles}`]);
  }

  #addForeignFile(path: string): void {
    mkdirSync(dirname(path), { recursive: true });
    this.#foreignFiles++;
    writeFileSync(path, FOREIGN_CONTENT);
    utimesSync(path, this.#now / 1000, this.#now / 1000);
    const [tier = "", ...name] = relative(this.root, path).split("/");
    this.#found.set(name.join("/"), adoptedArtifact(FOREIGN_CONTENT, tier.toUpperCase() as Tier, this.#now));
  }

  #fate(crashPoint: CrashPoint, lose: Loss) {
    return { clock: { now: () => this.#now }, crashPoint, random: this.#random, lose, omit: this.#omit };
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
  }
}
