import { Refused } from "@tierkeep/schema/domain/refusals";

/** How long a writer waits for room before it is refused. */
const WAIT_TIMEOUT_MS = 5000;

/**
 * Bytes that ride in the catalog until they are settled, kept under a limit: beyond it writers wait, and are refused
 * when it does not drain in time. So a tier that stopped answering stops writers, instead of filling the catalog.
 */
export class Backlog {
  readonly #limitBytes: number;
  /** What the catalog held when last asked, and what has been committed since. */
  #inlineBytes = 0;
  #inFlightBytes = 0;
  /** Why the last attempt to settle failed; null: it did not. */
  #trouble: Refused | null = null;
  readonly #waiting = new Set<() => boolean>();

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.#inlineBytes + this.#inFlightBytes;
  }

  /**
   * Runs `commit` once there is room for `bytes` more. One write always fits an empty backlog.
   * @throws Refused STORAGE_FULL or TIER_UNAVAILABLE after 5 s without room
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

  /** What the catalog holds now, after a pass over it that went well or not. */
  refresh(inlineBytes: number, trouble: Refused | null): void {
    this.#inlineBytes = inlineBytes;
    this.#trouble = trouble;
    for (const wake of [...this.#waiting]) if (!wake()) break;
  }

  #hasRoom(bytes: number): boolean {
    return this.bytes === 0 || this.bytes + bytes <= this.#limitBytes;
  }

  /** Resolves with the room taken, in the order of arrival. */
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
    const cause = { cause: this.#trouble ?? undefined };
    return this.#trouble?.code === "STORAGE_FULL"
      ? new Refused(
          "STORAGE_FULL",
          "The disk behind the tiers is full. Free some room, then write again.",
          {},
          cause,
        )
      : new Refused(
          "TIER_UNAVAILABLE",
          "The storage behind the tiers does not keep up with what is written. Write again later.",
          { retryAfterSeconds: 5 },
          cause,
        );
  }
}
