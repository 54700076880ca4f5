import { mulberry32 } from "../testing/tiers/mulberry32.ts";

/** Numbers by chance that come again with the same seed. */
export interface SeededRandom {
  readonly seed: number;
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number;
  /** One of them, each as likely as the others. There must be one. */
  oneOf<T>(choices: readonly [T, ...T[]] | readonly T[]): T;
}

export function seededRandom(seed: number): SeededRandom {
  const next = mulberry32(seed);
  const between = (least: number, most: number) =>
    least + Math.floor((next() / 2 ** 32) * (most - least + 1));
  return { seed, between, oneOf: (choices) => choices[between(0, choices.length - 1)] as never };
}
