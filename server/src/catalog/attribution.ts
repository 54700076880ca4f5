/** Who requested a change, and when (ms since the epoch, by the engine's clock). */
export interface Attribution {
  readonly at: number;
  readonly actor: string;
}
