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
import { adoptedArtifact, answer, type Command, type Expected, type ExpectedArtifact } from "./expected.ts";
import { breaches, FOREIGN_CONTENT, foreignFilesIn, leftovers, visibleState } from "./inspect.ts";
import { seededBytes } from "./random-bytes.ts";
import type { StoryStep } from "./scenarios.ts";
import { catalogPath, SimulatedProcess } from "./simulated-process.ts";
import { Violation } from "./violation.ts";

const START = Date.UTC(2026, 0, 1);

export interface StoryOptions {
  /** Folder in which the store's folder is created. */
  readonly dir: string;
  /** Determines the names of objects, so a story with the same seed is the same. Default 0. */
  readonly seed?: number;
  /** A sync that every process omits. */
  readonly omit?: DiskStep | undefined;
}

/** Runs simulated processes one after the other on one store, and checks the guarantees after each. */
export class Story {
  readonly root: string;
  /** Names of all steps of all processes. */
  readonly steps: string[] = [];
  /** Number of acknowledged changes to artifacts. */
  acknowledged = 0;
  readonly #omit: DiskStep | undefined;
  readonly #random: RandomBytes;
  #now = START;
  #before: Expected = new Map();
  #after: Expected = new Map();
  #foreignFiles = 0;
  /** First answer of each idempotency key, ms since the epoch. */
  readonly #answered = new Map<string, number>();
  /** How the last process ended; null: there was none. */
  #ending: string | null = null;
  /** A write with an idempotency key and no answer. The next process shows whether it committed. */
  #unanswered: { readonly path: string; readonly idempotencyKey: string; readonly at: number } | null = null;
  /** Files of the tree that an adoption finds. */
  readonly #found = new Map<string, ExpectedArtifact>();

  private constructor(root: string, omit: DiskStep | undefined, random: RandomBytes) {
    this.root = root;
    this.#omit = omit;
    this.#random = random;
  }

  /** Starts a story on a new store. */
  static begin({ dir, seed = 0, omit }: StoryOptions): Story {
    return new Story(mkdtempSync(join(dir, "tierkeep-story-")), omit, seededBytes(drawing({ seed })));
  }

  /** Continues this story on a copy of its store in `root`. The fork owns that folder. */
  fork(root: string): Story {
    const fork = new Story(root, this.#omit, this.#random);
    fork.#now = this.#now;
    fork.#before = this.#before;
    fork.#after = this.#after;
    fork.#foreignFiles = this.#foreignFiles;
    return fork;
  }

  /**
   * Runs the steps in a new process: to the end (returns true) or until the crash after `lastStep` steps. `onStep` is
   * called before each step; one commit or one change of the tiers happens between two calls.
   */
  async live(
    acts: readonly StoryStep[],
    lastStep: number,
    lose: Loss,
    onStep: () => void = () => {},
  ): Promise<boolean> {
    const crashPoint = new CrashPoint(lastStep, onStep);
    const life = await SimulatedProcess.begin(this.root, this.#options(crashPoint, lose));
    try {
      for (const act of life ? acts : []) await this.#act(life as SimulatedProcess, act);
      return life !== null;
    } catch (error) {
      if (error instanceof SimulatedCrash) return false;
      throw error;
    } finally {
      await life?.end(lose);
      this.steps.push(...crashPoint.steps);
      const last = crashPoint.steps.at(-1) ?? "none";
      this.#ending = `crashed after ${crashPoint.steps.length} steps, the last ${last}, losing ${JSON.stringify(lose)}`;
    }
  }

  /** Checks the store in a new process: directly after its start, and after upkeep. @throws Violation */
  async check(): Promise<void> {
    await this.#look().catch((error: unknown) => {
      throw this.#ending === null ? error : Violation.when(this.#ending, error);
    });
  }

  async #look(): Promise<void> {
    const crashPoint = new CrashPoint();
    const life = await SimulatedProcess.begin(this.root, this.#options(crashPoint, "nothing"));
    if (!life) throw new Error("the process did not start");
    try {
      const seen = await visibleState(life);
      Violation.unlessNone(disagreements(seen, this.#before, this.#after));
      Violation.unlessNone(await breaches(life, this.root));
      await life.drain();
      Violation.unlessNone(disagreements(await visibleState(life), seen, seen));
      Violation.unlessNone(await breaches(life, this.root));
      Violation.unlessNone(leftovers(this.root));
      this.#countForeignFiles();
      this.#before = seen;
      this.#after = seen;
      if (seen.get(this.#unanswered?.path ?? "")?.modifiedAt === this.#unanswered?.at) this.#rememberAnswer();
      this.#unanswered = null;
    } finally {
      await life.end("nothing");
      this.steps.push(...crashPoint.steps);
    }
  }

  /** Deletes the catalog. The tree is what remains. */
  loseCatalog(): void {
    for (const end of ["", "-wal", "-shm"]) rmSync(`${catalogPath(this.root)}${end}`, { force: true });
    // Only the catalog has the previous tier.
    for (const [path, artifact] of this.#before)
      this.#found.set(path, { ...artifact, promotedAt: null, promotedFrom: null });
    this.#before = new Map();
    this.#after = this.#before;
  }

  async #act(life: SimulatedProcess, act: StoryStep): Promise<void> {
    this.#now += act.do === "wait" ? act.ms : 1;
    switch (act.do) {
      case "wait":
        return;
      case "drain":
        return life.drain();
      case "intrude":
        return this.#addForeignFile(join(this.root, act.path));
      default: {
        const command: Command = act.do === "adopt" ? { ...act, found: this.#found } : act;
        const { next, refused } = this.#isRepeat(command)
          ? { next: this.#after, refused: null }
          : answer(this.#after, command, this.#now);
        this.#after = next;
        const answered = await life.take(command);
        if (answered !== refused) {
          const [is, mustBe] = [answered, refused].map((code) => code ?? "done");
          throw new Violation([`${JSON.stringify(command)} returned ${is}, expected ${mustBe}`]);
        }
        this.acknowledged += disagreements(next, this.#before, this.#before).length;
        this.#before = next;
        this.#rememberAnswer();
      }
    }
  }

  /** True for a retry with a valid stored answer. Otherwise a write with a key is unanswered from now on. */
  #isRepeat(act: Command): boolean {
    if (act.do !== "write" || act.idempotencyKey === undefined) return false;
    const { idempotencyKey } = act;
    const answeredAt = this.#answered.get(idempotencyKey) ?? Number.NEGATIVE_INFINITY;
    if (this.#now - answeredAt <= DAY_MS) return true;
    this.#unanswered = { path: keyText(act.key), idempotencyKey, at: this.#now };
    return false;
  }

  #rememberAnswer(): void {
    if (this.#unanswered !== null) this.#answered.set(this.#unanswered.idempotencyKey, this.#unanswered.at);
    this.#unanswered = null;
  }

  #countForeignFiles(): void {
    const count = foreignFilesIn(this.root);
    if (count !== this.#foreignFiles)
      throw new Violation([`${count} foreign files exist, expected ${this.#foreignFiles}`]);
  }

  #addForeignFile(path: string): void {
    mkdirSync(dirname(path), { recursive: true });
    this.#foreignFiles++;
    writeFileSync(path, FOREIGN_CONTENT);
    utimesSync(path, this.#now / 1000, this.#now / 1000);
    const [tier = "", ...name] = relative(this.root, path).split("/");
    this.#found.set(name.join("/"), adoptedArtifact(FOREIGN_CONTENT, tier.toUpperCase() as Tier, this.#now));
  }

  #options(crashPoint: CrashPoint, lose: Loss) {
    return { clock: { now: () => this.#now }, crashPoint, random: this.#random, lose, omit: this.#omit };
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
  }
}
