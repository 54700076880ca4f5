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
import { answer, type Command, type Expected, type ExpectedArtifact, takenUp } from "./expected.ts";
import { breaches, foreignFilesIn, leftovers, STRANGER, seenOf } from "./inspect.ts";
import { bytesBy } from "./random-bytes.ts";
import type { Act } from "./scenarios.ts";
import { catalogPath, SimulatedProcess } from "./simulated-process.ts";
import { Violation } from "./violation.ts";

const START = Date.UTC(2026, 0, 1);

export interface StoryOptions {
  /** Where it makes the folder of its store. */
  readonly dir: string;
  /** Names of objects follow from it: with the same one the same happens. Default 0. */
  readonly seed?: number;
  /** A sync that is left out in every life. */
  readonly omit?: DiskStep | undefined;
}

/** A store's lives one after the other, and what must be true of it. */
export class Story {
  readonly root: string;
  /** Names of all steps taken in all lives. */
  readonly steps: string[] = [];
  /** How many artifacts were changed by what was answered as done, each as often as it was. */
  acknowledged = 0;
  readonly #omit: DiskStep | undefined;
  readonly #random: RandomBytes;
  #now = START;
  #before: Expected = new Map();
  #after: Expected = new Map();
  #strangers = 0;
  /** When each idempotency key was answered first. */
  readonly #answered = new Map<string, number>();
  /** How the last life ended; null: of this store there was none yet. */
  #ending: string | null = null;
  /** A write with a key that had no answer yet: whether it was made is seen in what the next life finds. */
  #unanswered: { readonly path: string; readonly idempotencyKey: string; readonly at: number } | null = null;
  /** What an adoption finds in the tree. */
  readonly #found = new Map<string, ExpectedArtifact>();

  private constructor(root: string, omit: DiskStep | undefined, random: RandomBytes) {
    this.root = root;
    this.#omit = omit;
    this.#random = random;
  }

  /** Of a new store. */
  static begin({ dir, seed = 0, omit }: StoryOptions): Story {
    return new Story(mkdtempSync(join(dir, "tierkeep-story-")), omit, bytesBy(drawing({ seed })));
  }

  /** The same story, as far as it has come, of another store, which it owns from now on. */
  fork(root: string): Story {
    const fork = new Story(root, this.#omit, this.#random);
    fork.#now = this.#now;
    fork.#before = this.#before;
    fork.#after = this.#after;
    fork.#strangers = this.#strangers;
    return fork;
  }

  /**
   * Lives through the acts, to the end (true) or until it has taken `lastStep` steps. `onStep` is called before each:
   * between two calls there is one commit, or one change to the tiers.
   */
  async live(
    acts: readonly Act[],
    lastStep: number,
    lose: Loss,
    onStep: () => void = () => {},
  ): Promise<boolean> {
    const crashPoint = new CrashPoint(lastStep, onStep);
    const life = await SimulatedProcess.begin(this.root, this.#fate(crashPoint, lose));
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
      this.#ending = `dead after ${crashPoint.steps.length} steps, the last ${last}, losing ${JSON.stringify(lose)}`;
    }
  }

  /** Looks at what the next life finds, at once and after it has put everything in order. @throws Broken */
  async check(): Promise<void> {
    await this.#look().catch((error: unknown) => {
      throw this.#ending === null ? error : Violation.when(this.#ending, error);
    });
  }

  async #look(): Promise<void> {
    const crashPoint = new CrashPoint();
    const life = await SimulatedProcess.begin(this.root, this.#fate(crashPoint, "nothing"));
    if (!life) throw new Error("did not begin");
    try {
      const seen = await seenOf(life);
      Violation.unlessNone(disagreements(seen, this.#before, this.#after));
      Violation.unlessNone(await breaches(life, this.root));
      await life.drain();
      Violation.unlessNone(disagreements(await seenOf(life), seen, seen));
      Violation.unlessNone(await breaches(life, this.root));
      Violation.unlessNone(leftovers(this.root));
      this.#countStrangers();
      this.#before = seen;
      this.#after = seen;
      if (seen.get(this.#unanswered?.path ?? "")?.modifiedAt === this.#unanswered?.at) this.#remember();
      this.#unanswered = null;
    } finally {
      await life.end("nothing");
      this.steps.push(...crashPoint.steps);
    }
  }

  /** The catalog is gone, and nobody remembers what was in it but the tree. */
  loseCatalog(): void {
    for (const end of ["", "-wal", "-shm"]) rmSync(`${catalogPath(this.root)}${end}`, { force: true });
    // Which tier something came from is written nowhere else.
    for (const [path, artifact] of this.#before)
      this.#found.set(path, { ...artifact, promotedAt: null, promotedFrom: null });
    this.#before = new Map();
    this.#after = this.#before;
  }

  async #act(life: SimulatedProcess, act: Act): Promise<void> {
    this.#now += act.do === "wait" ? act.ms : 1;
    switch (act.do) {
      case "wait":
        return;
      case "drain":
        return life.drain();
      case "intrude":
        return this.#intrude(join(this.root, act.path));
      default: {
        const command: Command = act.do === "adopt" ? { ...act, found: this.#found } : act;
        const { next, refused } = this.#isRepeat(command)
          ? { next: this.#after, refused: null }
          : answer(this.#after, command, this.#now);
        this.#after = next;
        const answered = await life.take(command);
        if (answered !== refused) {
          const [is, mustBe] = [answered, refused].map((code) => code ?? "done");
          throw new Violation([`${JSON.stringify(command)} was answered as ${is}, and must be ${mustBe}`]);
        }
        this.acknowledged += disagreements(next, this.#before, this.#before).length;
        this.#before = next;
        this.#remember();
      }
    }
  }

  /** Those that are not are unanswered from now on, as far as they have a key. */
  #isRepeat(act: Command): boolean {
    if (act.do !== "write" || act.idempotencyKey === undefined) return false;
    const { idempotencyKey } = act;
    const answeredAt = this.#answered.get(idempotencyKey) ?? Number.NEGATIVE_INFINITY;
    if (this.#now - answeredAt <= DAY_MS) return true;
    this.#unanswered = { path: keyText(act.key), idempotencyKey, at: this.#now };
    return false;
  }

  #remember(): void {
    if (this.#unanswered !== null) this.#answered.set(this.#unanswered.idempotencyKey, this.#unanswered.at);
    this.#unanswered = null;
  }

  #countStrangers(): void {
    const count = foreignFilesIn(this.root);
    if (count !== this.#strangers)
      throw new Violation([`${count} files of strangers are there, and must be ${this.#strangers}`]);
  }

  #intrude(path: string): void {
    mkdirSync(dirname(path), { recursive: true });
    this.#strangers++;
    writeFileSync(path, STRANGER);
    utimesSync(path, this.#now / 1000, this.#now / 1000);
    const [tier = "", ...name] = relative(this.root, path).split("/");
    this.#found.set(name.join("/"), takenUp(STRANGER, tier.toUpperCase() as Tier, this.#now));
  }

  #fate(crashPoint: CrashPoint, lose: Loss) {
    return { clock: { now: () => this.#now }, crashPoint, random: this.#random, lose, omit: this.#omit };
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
  }
}
