import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { inspect } from "node:util";
import { seededRandom } from "./seeded-random.ts";
import type { ProofSuite } from "./suite.ts";

export interface ProofOptions {
  /** A folder on the disk under test. The suite's folder is created in it, with the suite's name. */
  readonly dir: string;
  /** Cycle n, from 0, gets the random numbers of `seed + n`. */
  readonly seed: number;
  readonly cycles: number;
  readonly signal?: AbortSignal | undefined;
  /** Called before the first cycle and after each. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface ProofResult {
  readonly suite: string;
  /** Cycles that were run, including one with a violation. */
  readonly tried: number;
  /** What a cycle is called, in the plural. */
  readonly unit: string;
  /** Counts, by what they count. */
  readonly figures: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** A sentence for each violation, or the error that was thrown, with its stack. Empty if the claim held. */
  readonly broken: readonly string[];
  /** Repeats the run; after a violation, only the cycles that lead to it. */
  readonly replay: { readonly cycles: number; readonly seed: number };
  /** The suite's folder, kept for inspection after a violation. Null if nothing was kept. */
  readonly folder: string | null;
}

/**
 * Runs the cycles of a suite, up to the first violation.
 *
 * @throws the signal's reason after an abort, once the current cycle has ended and the suite's processes and folder are
 * gone
 */
export async function runSuite(suite: ProofSuite, options: ProofOptions): Promise<ProofResult> {
  const folder = join(options.dir, suite.name);
  await mkdir(folder);
  const startedAt = performance.now();
  const { tried, figures, broken, replay } = await tryToBreak(suite, folder, options);
  const isKept = broken.length > 0 && !options.signal?.aborted && (await readdir(folder)).length > 0;
  if (!isKept) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  options.signal?.throwIfAborted();
  return {
    suite: suite.name,
    tried,
    unit: suite.unit,
    figures,
    seconds: (performance.now() - startedAt) / 1_000,
    broken,
    replay,
    folder: isKept ? folder : null,
  };
}

async function tryToBreak(
  { open, isEachAlone }: ProofSuite,
  folder: string,
  { seed, cycles, signal, onProgress }: ProofOptions,
): Promise<Pick<ProofResult, "tried" | "figures" | "broken" | "replay">> {
  let figures: ProofResult["figures"] = {};
  let tried = 0;
  let replay = { cycles, seed };
  const broken = await sentences(async () => {
    await using run = await open(folder);
    figures = run.figures;
    onProgress?.(0, cycles);
    for (;;) {
      // A cycle need not yield to the event loop. This lets timers and signals run.
      await nextTurn();
      if (tried === cycles || signal?.aborted) break;
      const random = seededRandom(seed + tried);
      tried += 1;
      const found = await sentences(() => run.cycle(random, signal));
      figures = { ...run.figures };
      if (found.length > 0) {
        replay = isEachAlone ? { cycles: 1, seed: random.seed } : { cycles: tried, seed };
        return found;
      }
      onProgress?.(tried, cycles);
    }
    if (signal?.aborted || run.finish === undefined) return [];
    const found = await run.finish();
    figures = { ...run.figures };
    return found;
  });
  return { tried, figures, broken, replay };
}

async function sentences(work: () => Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await work();
  } catch (error) {
    return [inspect(error)];
  }
}
