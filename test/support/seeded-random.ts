import process from "node:process";
import { onTestFailed } from "vitest";

export interface SeededRandom {
  readonly seed: number;
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number;
}

/** The seed of TEST_SEED, else a new one; a test that fails prints it. Call it inside the test. */
export function seededRandom(): SeededRandom {
  const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  onTestFailed(() => console.error(`repeat this with TEST_SEED=${seed}`));
  let state = seed;
  return {
    seed,
    between(least, most) {
      // mulberry32
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      const fraction = ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
      return least + Math.floor(fraction * (most - least + 1));
    },
  };
}
