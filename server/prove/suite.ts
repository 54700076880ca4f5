import type { SeededRandom } from "./seeded-random.ts";

/** A guarantee, and a randomized check of it on this machine and its disk. */
export interface ProofSuite {
  /** The name in `--only`. */
  readonly name: string;
  /** What the suite does to a store, and what must hold. Shown in the help. */
  readonly claim: string;
  /** What a cycle is called, in the plural: "kills". */
  readonly unit: string;
  /** The number of cycles without `--cycles`. */
  readonly cycles: number;
  /** Whether a cycle can be repeated from its own seed. Otherwise all cycles use one store and depend on the earlier ones. */
  readonly isEachAlone: boolean;
  /** Prepares the cycles in `dir`, an empty folder on the disk under test that belongs to the suite. */
  open(dir: string): Promise<ProofRun>;
}

/** A running suite. Disposing it ends its processes and closes its files; the caller then removes its folder. */
export interface ProofRun extends AsyncDisposable {
  /** Counts of the work so far, by what they count: "changes acknowledged". */
  readonly figures: Readonly<Record<string, number>>;
  /**
   * Runs one cycle. Resolves with a sentence for each violation; empty if the claim held. An error counts as a violation.
   * After either the run is over.
   *
   * @param signal ends a cycle of several seconds early; its result is then ignored
   */
  cycle(random: SeededRandom, signal?: AbortSignal): Promise<readonly string[]>;
  /** Runs checks that are only possible after the last cycle. Resolves like `cycle`. */
  finish?(): Promise<readonly string[]>;
}
