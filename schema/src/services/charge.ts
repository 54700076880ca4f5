/** The memory of one call, charged to the caller from the first byte read until the last byte sent. */
export interface Charge {
  /**
   * Charges `bytes` to the call. A negative number releases bytes.
   *
   * @throws Refused RATE_LIMITED with retryAfterSeconds if the caller's share or all memory is used up;
   * nothing is charged then
   */
  add(bytes: number): void;
  /** Releases everything that was charged. */
  release(): void;
}

/** A charge without a budget, for a caller inside this process. */
export const UNCHARGED: Charge = { add: () => {}, release: () => {} };
