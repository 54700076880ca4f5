import { Refused } from "@tierkeep/schema/domain/refusals";

/** How long a writer waits for space in the backlog before it is refused. */
const WAIT_TIMEOUT_MS = 5000;

/**
 * Limits the inline content that is not settled. Above the limit writers wait, and are refused where it does
 * not drain in time. So a tier that does not respond stops writers and does not fill the catalog.
 */
export class Backlog {
  readonly #limitBytes: number;
  /** The inline bytes in the catalog at the last refresh, and those committed since. */
  #inlineBytes = 0;
  #inFlightBytes = 0;
  /** Why the last attempt to settle failed; null: it did not. */
  #problem: Refused | null = null;
  readonly #waiting = new Set<() => boolean>();

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.#inlineBytes + this.#inFlightBytes;
  }

  /**
   * Runs `commit` once there is space for `bytes` more. An empty backlog accepts any one write.
   *
   * @throws Refused STORAGE_FULL or TIER_UNAVAILABLE after 5 s without space
   */
  async admit<T>(bytes: number, commit: () => Promise<T>): Promise<T> {
    if (this.#waiting.size === 0 && this.#hasRoom(bytes)) this.#inFlightBytes += bytes;
    else await this.#room(bytes);
    try {
      const result = await commit();
      this.#inlineBytes += bytes;
      return result;
    } finally {
      this.#inFlightBytes -= bytes;
    }
  }

  /** Sets the inline bytes in the catalog after an attempt to settle, and why it failed. */
  refresh(inlineBytes: number, problem: Refused | null): void {
    this.#inlineBytes = inlineBytes;
    this.#problem = problem;
    for (const wake of [...this.#waiting]) if (!wake()) break;
  }

  #hasRoom(bytes: number): boolean {
    return this.bytes === 0 || this.bytes + bytes <= this.#limitBytes;
  }

  /** Resolves once the space is reserved, in the order of the calls. */
  #room(bytes: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        finish();
      };
      const wake = () => {
        if (!this.#hasRoom(bytes)) return false;
        this.#inFlightBytes += bytes;
        settle(resolve);
        return true;
      };
      const timer = setTimeout(() => settle(() => reject(this.#refusal())), WAIT_TIMEOUT_MS);
      this.#waiting.add(wake);
    });
  }

  #refusal(): Refused {
    const cause = { cause: this.#problem ?? undefined };
    return this.#problem?.code === "STORAGE_FULL"
      ? new Refused(
          "STORAGE_FULL",
          "The disk of the tiers is full. Free some space, then write again.",
          {},
          cause,
        )
      : new Refused(
          "TIER_UNAVAILABLE",
          "The storage of the tiers is slower than the writes. Write again later.",
          { retryAfterSeconds: 5 },
          cause,
        );
  }
}
