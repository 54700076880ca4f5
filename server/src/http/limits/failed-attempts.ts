import { hash } from "node:crypto";
import type { UsageLimits } from "@tierkeep/schema/domain/limits";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { LRUCache } from "lru-cache";
import type { Metric } from "../monitoring/metrics.ts";
import { networkOf } from "./owner.ts";
import { RateLimiter } from "./rate-limiter.ts";

/** Addresses that have failed, the latest. Who has more than these can fail as often anew from each. */
const MAX_ADDRESSES = 10_000;

/** Credentials that have been good, the latest. */
const MAX_KNOWN = 10_000;

/**
 * Counts attempts to authenticate that have failed, by the address that they came from, and refuses more before they are
 * looked at. What has been found good before is still looked at wherever it comes from, so that those who share an
 * address with somebody who guesses are not shut out with him.
 */
export class FailedAttempts {
  readonly #rate: RateLimiter | null;
  readonly #now: () => number;
  /** By network, as the rate has it. */
  readonly #evenUntil = new LRUCache<string, number>({ max: MAX_ADDRESSES });
  /** Digests: what is kept lets nobody in. */
  readonly #known = new LRUCache<string, true>({ max: MAX_KNOWN });
  #failed = 0;
  #refused = 0;

  constructor(
    { failedAttemptsPerMinute: most }: Pick<UsageLimits, "failedAttemptsPerMinute">,
    now: () => number = () => performance.now(),
  ) {
    this.#rate = most === null ? null : new RateLimiter(most / 60, most);
    this.#now = now;
  }

  /** Attempts that have failed, and those that were refused unseen. */
  get failed(): number {
    return this.#failed;
  }

  get refused(): number {
    return this.#refused;
  }

  /**
   * Recognises somebody by a credential. Only where it is refused as UNAUTHENTICATED has the attempt failed.
   *
   * @param address the other end of the socket; null: there is none, and nothing is limited
   * @throws Refused RATE_LIMITED; what `recognise` throws
   */
  async attempt<T>(address: string | null, credential: string, recognise: () => Promise<T>): Promise<T> {
    this.require(address, credential);
    try {
      const found = await recognise();
      if (this.#rate !== null && address !== null) this.#known.set(digestOf(credential), true);
      return found;
    } catch (error) {
      if (error instanceof Refused && error.code === "UNAUTHENTICATED") this.#count(address, credential);
      throw error;
    }
  }

  /** @throws Refused RATE_LIMITED where the address has failed too often, and this has not been good before */
  require(address: string | null, credential: string): void {
    if (this.#rate === null || address === null) return;
    const ms = this.#rate.wait(this.#evenUntil.get(networkOf(address)) ?? 0, this.#now());
    if (ms === 0 || this.#known.has(digestOf(credential))) return;
    this.#refused += 1;
    throw new Refused(
      "RATE_LIMITED",
      "Too many attempts with credentials that are not valid have come from your address. Wait, and try again.",
      { retryAfterSeconds: Math.ceil(ms) / 1_000 },
      { cause: new Error(`failed attempts from ${address}`) },
    );
  }

  #count(address: string | null, credential: string): void {
    this.#failed += 1;
    if (this.#rate === null || address === null) return;
    this.#known.delete(digestOf(credential));
    const network = networkOf(address);
    this.#evenUntil.set(network, this.#rate.after(this.#evenUntil.get(network) ?? 0, this.#now()));
  }
}

export function failedAttemptsMetrics({ failed, refused }: FailedAttempts): readonly Metric[] {
  return [
    {
      name: "tierkeep_failed_authentications_total",
      help: "Authentication attempts that failed.",
      type: "counter",
      value: failed,
    },
    {
      name: "tierkeep_refused_authentications_total",
      help: "Authentication attempts rejected without a check, because too many from their address had failed.",
      type: "counter",
      value: refused,
    },
  ];
}

function digestOf(credential: string): string {
  return hash("sha256", credential, "base64");
}
