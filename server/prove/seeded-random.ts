import { uniformInt } from "pure-rand/distribution/uniformInt";
import { mersenne } from "pure-rand/generator/mersenne";

/** Seeded pseudo-random numbers: the same seed gives the same sequence. */
export interface SeededRandom {
  readonly seed: number;
  /** An integer from `least` to `most`, both inclusive. */
  between(least: number, most: number): number;
  /** One of the choices, each with the same probability. There must be at least one. */
  oneOf<T>(choices: readonly [T, ...T[]] | readonly T[]): T;
}

export function seededRandom(seed: number): SeededRandom {
  const generator = mersenne(seed);
  const between = (least: number, most: number) => uniformInt(generator, least, most);
  return { seed, between, oneOf: (choices) => choices[between(0, choices.length - 1)] as never };
}
