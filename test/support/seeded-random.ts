import process from "node:process";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { mersenne } from "pure-rand/generator/mersenne";
import { onTestFailed } from "vitest";

/** Seeded pseudo-random numbers: the same seed gives the same sequence. */
export interface SeededRandom {
  readonly seed: number;
  /** Returns an integer from `least` to `most`, inclusive. */
  between(least: number, most: number): number;
}

/**
 * Returns a generator with the seed in TEST_SEED or a new one. A failing test prints its seed. Call it in a
 * test.
 */
export function seededRandom(): SeededRandom {
  const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  onTestFailed(() => console.error(`repeat this with TEST_SEED=${seed}`));
  const generator = mersenne(seed);
  return { seed, between: (least, most) => uniformInt(generator, least, most) };
}
