import type { SeededRandom } from "./seeded-random.ts";

/** A promise, and what tries to break it: the same thing again and again, by chance, on this machine and its disk. */
export interface ProofSuite {
  /** As in `--only`. */
  readonly name: string;
  /** What is done to a store, and what must be true of it all the same; one sentence. */
  readonly claim: string;
  /** What is counted as a cycle, in the plural: "kills". */
  readonly unit: string;
  /** How many there are unless somebody says otherwise. */
  readonly cycles: number;
  /** Whether a cycle can be repeated by its seed alone. Else it depends on those before it, as all are done to one store. */
  readonly isEachAlone: boolean;
  /** Prepares what all cycles need, in an empty folder that is the suite's own, on the disk that is tried. */
  open(dir: string): Promise<ProofRun>;
}

/** A suite under way. Disposed of, it ends its processes and closes its files; its folder goes afterwards. */
export interface ProofRun extends AsyncDisposable {
  /** Counts of what was done so far, by what they count: "changes acknowledged". */
  readonly figures: Readonly<Record<string, number>>;
  /**
   * Tries once. Resolves with what broke, a sentence each; none: nothing did. What it throws counts as broken as well.
   * After either nothing more is tried in this run.
   *
   * @param signal a cycle that takes seconds ends early when this aborts; nobody looks then at what came of it
   */
  cycle(random: SeededRandom, signal?: AbortSignal): Promise<readonly string[]>;
  /** After the last cycle: what can only be looked at in the end. Resolves like `cycle`. */
  finish?(): Promise<readonly string[]>;
}
