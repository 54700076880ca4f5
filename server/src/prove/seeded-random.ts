/** Numbers by chance that come again with the same seed. */
export interface SeededRandom {
  readonly seed: number;
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number;
  /** One of them, each as likely as the others. There must be one. */
  oneOf<T>(choices: readonly [T, ...T[]] | readonly T[]): T;
}

export function seededRandom(seed: number): SeededRandom {
  let state = seed | 0;
  function between(least: number, most: number): number {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    const fraction = ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    return least + Math.floor(fraction * (most - least + 1));
  }
  return { seed, between, oneOf: (choices) => choices[between(0, choices.length - 1)] as never };
}
