import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { keyText } from "@tierkeep/schema/domain/keys";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import { expect } from "vitest";
import type { DiskStep } from "../../tiers/filesystem/disk.ts";
import type { Loss } from "../../tiers/filesystem/lossy-disk.ts";
import { disagreements } from "./disagreements.ts";
import { answer, type Command, type Expected, type ExpectedArtifact } from "./expected.ts";
import { Died, Fuse } from "./fuse.ts";
import { breaches, leftovers, STRANGER, seenOf, strangersIn } from "./inspect.ts";
import { catalogPath, Life } from "./life.ts";
import type { Act } from "./scenarios.ts";

const START = Date.UTC(2026, 0, 1);

/** A store's lives one after the other, and what must be true of it. */
export class Story {
  readonly root: string;
  /** Names of all steps taken in all lives. */
  readonly steps: string[] = [];
  readonly #omit: DiskStep | undefined;
  #now = START;
  #before: Expected = new Map();
  #after: Expected = new Map();
  #strangers = 0;
  /** When each idempotency key was answered first. */
  readonly #answered = new Map<string, number>();
  /** A write with a key that had no answer yet: whether it was made is seen in what the next life finds. */
  #unanswered: { readonly path: string; readonly idempotencyKey: string; readonly at: number } | null = null;
  /** What an adoption finds in the tree. */
  readonly #found = new Map<string, ExpectedArtifact>();

  /** `omit`: a sync that is left out in every life. `root`: a store that is there already. */
  constructor(omit?: DiskStep, root = mkdtempSync(join(tmpdir(), "tierkeep-model-"))) {
    this.#omit = omit;
    this.root = root;
  }

  /** The same story, as far as it has come, of another store, which it owns from now on. */
  fork(root: string): Story {
    const fork = new Story(this.#omit, root);
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
    const fuse = new Fuse(lastStep, onStep);
    const life = await Life.begin(this.root, this.#fate(fuse, lose));
    try {
      for (const act of life ? acts : []) await this.#act(life as Life, act);
      return life !== null;
    } catch (error) {
      if (error instanceof Died) return false;
      throw error;
    } finally {
      await life?.end(lose);
      this.steps.push(...fuse.steps);
    }
  }

  /** Asserts what the next life finds, at once and after it has put everything in order. */
  async check(): Promise<void> {
    const fuse = new Fuse();
    const life = await Life.begin(this.root, this.#fate(fuse, "nothing"));
    if (!life) throw new Error("did not begin");
    try {
      const seen = await seenOf(life);
      expect(disagreements(seen, this.#before, this.#after)).toEqual([]);
      expect(await breaches(life, this.root)).toEqual([]);
      await life.drain();
      expect(await seenOf(life)).toEqual(seen);
      expect(await breaches(life, this.root)).toEqual([]);
      expect(leftovers(this.root)).toEqual([]);
      expect(strangersIn(this.root)).toBe(this.#strangers);
      this.#before = seen;
      this.#after = seen;
      if (seen.get(this.#unanswered?.path ?? "")?.modifiedAt === this.#unanswered?.at) this.#remember();
      this.#unanswered = null;
    } finally {
      await life.end("nothing");
      this.steps.push(...fuse.steps);
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

  async #act(life: Life, act: Act): Promise<void> {
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
        expect(await life.take(command)).toBe(refused);
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

  #intrude(path: string): void {
    mkdirSync(dirname(path), { recursive: true });
    this.#strangers++;
    writeFileSync(path, STRANGER);
    utimesSync(path, this.#now / 1000, this.#now / 1000);
    const [tier = "", ...name] = relative(this.root, path).split("/");
    this.#found.set(name.join("/"), {
      checksum: createHash("sha256").update(STRANGER).digest("hex"),
      sizeBytes: STRANGER.length,
      tier: tier.toUpperCase() as Tier,
      createdAt: this.#now,
      modifiedAt: this.#now,
      promotedAt: null,
      promotedFrom: null,
      ageSince: this.#now,
    });
  }

  #fate(fuse: Fuse, lose: Loss) {
    return { clock: { now: () => this.#now }, fuse, lose, omit: this.#omit };
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
  }
}
