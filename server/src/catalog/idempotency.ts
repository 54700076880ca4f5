/** Makes a change one that its asker may repeat: where the catalog knows its key, it gives the first answer again. */
export interface IdempotencyKey {
  /** Whose key it is: keys of different actors have nothing to do with each other. */
  readonly actor: string;
  /** The asker's name for this change. */
  readonly key: string;
  /** SHA-256, hex, of what is asked for: under one key the same each time, else the change is refused with CONFLICT. */
  readonly fingerprint: string;
  /** ms since the epoch, by the engine's clock. */
  readonly at: number;
}

export interface Repeatable {
  readonly once?: IdempotencyKey | undefined;
}
