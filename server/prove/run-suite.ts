import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { inspect } from "node:util";
import { seededRandom } from "./seeded-random.ts";
import type { ProofSuite } from "./suite.ts";

export interface ProofOptions {
  /** A folder on the disk that is tried. The suite's own is made in it, by the suite's name. */
  readonly dir: string;
  /** Cycle n, from 0, is given the numbers of `seed + n`. */
  readonly seed: number;
  readonly cycles: number;
  readonly signal?: AbortSignal | undefined;
  /** Told before the first cycle and after each. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface ProofResult {
  readonly suite: string;
  /** Cycles, that in which something broke among them. */
  readonly tried: number;
  /** What a cycle is, in the plural. */
  readonly unit: string;
  /** Counts, by what they count. */
  readonly figures: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** What broke, a sentence each, or what was thrown, with its stack; none: nothing did. */
  readonly broken: readonly string[];
  /** What does the same again; where something broke, no more than it takes to get there. */
  readonly replay: { readonly cycles: number; readonly seed: number };
  /** Where the suite's folder was left for somebody to look at, since something broke. Null: nothing was. */
  readonly folder: string | null;
}

/**
 * Runs a suite, cycle after cycle, until its first break.
 *
 * @throws the signal's reason once that has aborted and the cycle under way has ended: the suite's processes and its
 * folder are gone then
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
      // A cycle may have waited for nothing but itself: here timers and signals have their turn.
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
