/** The memory that one call uses, charged to the caller from the first byte read until the last byte sent. */
export interface Charge {
  /**
   * Charges `bytes` more to the call. A negative number gives bytes back.
   *
   * @throws Refused RATE_LIMITED with retryAfterSeconds, where the caller's part or all memory is used up; nothing is
   * charged then
   */
  add(bytes: number): void;
  /** Gives back everything that was charged. */
  release(): void;
}

/** For a caller inside this process that no budget limits. */
export const UNCHARGED: Charge = { add: () => {}, release: () => {} };
