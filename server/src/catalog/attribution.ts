/** Who asks, and when by the engine's clock (ms since the epoch). */
export interface Attribution {
  readonly at: number;
  readonly actor: string;
}
