/** Who asks, and when by the engine's clock (ms since the epoch). */
export interface Stamped {
  readonly at: number;
  readonly actor: string;
}
