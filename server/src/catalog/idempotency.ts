/** Idempotency key of a change: a retry with the same key returns the stored result. */
export interface IdempotencyKey {
  /** Keys of different actors are independent. */
  readonly actor: string;
  /** The caller's name for this change. */
  readonly key: string;
  /**
   * SHA-256 of the request, hex. A change with a known key and another fingerprint is refused with CONFLICT.
   */
  readonly fingerprint: string;
  /** ms since the epoch, by the engine's clock. */
  readonly at: number;
}

export interface Repeatable {
  readonly once?: IdempotencyKey | undefined;
}
