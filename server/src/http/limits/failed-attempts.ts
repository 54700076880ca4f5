import { hash } from "node:crypto";
import type { UsageLimits } from "@tierkeep/schema/domain/limits";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { LRUCache } from "lru-cache";
import type { Metric } from "../monitoring/metrics.ts";
import { networkOf } from "./owner.ts";
import { RateLimiter } from "./rate-limiter.ts";

/**
 * Maximum number of addresses whose failures are tracked; the least recently used are dropped. A client that
 * uses more addresses gets the full limit for each.
 */
const MAX_ADDRESSES = 10_000;

/** Maximum number of valid credentials that are remembered; the least recently used are dropped. */
const MAX_KNOWN = 10_000;

/**
 * Counts failed authentication attempts per client address, and refuses further attempts without checking
 * them. Credentials that were valid before are still checked, so clients that share an address with an
 * attacker are not locked out.
 */
export class FailedAttempts {
  readonly #rate: RateLimiter | null;
  readonly #now: () => number;
  /** State of the rate limiter per network. */
  readonly #limiterStates = new LRUCache<string, number>({ max: MAX_ADDRESSES });
  /** Digests of credentials that were valid. A digest cannot be used as a credential. */
  readonly #known = new LRUCache<string, true>({ max: MAX_KNOWN });
  #failed = 0;
  #refused = 0;

  constructor(
    { failedAttemptsPerMinute: perMinute }: Pick<UsageLimits, "failedAttemptsPerMinute">,
    now: () => number = () => performance.now(),
  ) {
    this.#rate = perMinute === null ? null : new RateLimiter(perMinute / 60, perMinute);
    this.#now = now;
  }

  /** Number of attempts with credentials that were checked and invalid. */
  get failed(): number {
    return this.#failed;
  }

  /** Number of attempts refused without a check. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * Runs `authenticate` and returns its result. Counts a failure only if it throws UNAUTHENTICATED.
   *
   * @param address address of the client's socket; null: there is no socket, and no limit applies
   * @throws Refused RATE_LIMITED; errors of `authenticate`
   */
  async attempt<T>(address: string | null, credential: string, authenticate: () => Promise<T>): Promise<T> {
    this.require(address, credential);
    try {
      const found = await authenticate();
      if (this.#rate !== null && address !== null) this.#known.set(digestOf(credential), true);
      return found;
    } catch (error) {
      if (error instanceof Refused && error.code === "UNAUTHENTICATED") this.#count(address, credential);
      throw error;
    }
  }

  /**
   * @throws Refused RATE_LIMITED if the address has failed too often and this credential was not valid before
   */
  require(address: string | null, credential: string): void {
    if (this.#rate === null || address === null) return;
    const ms = this.#rate.wait(this.#limiterStates.get(networkOf(address)) ?? 0, this.#now());
    if (ms === 0 || this.#known.has(digestOf(credential))) return;
    this.#refused += 1;
    throw new Refused(
      "RATE_LIMITED",
      "Too many attempts with invalid credentials came from your address. Wait, then try again.",
      { retryAfterSeconds: Math.ceil(ms) / 1_000 },
      { cause: new Error(`failed attempts from ${address}`) },
    );
  }

  #count(address: string | null, credential: string): void {
    this.#failed += 1;
    if (this.#rate === null || address === null) return;
    this.#known.delete(digestOf(credential));
    const network = networkOf(address);
    this.#limiterStates.set(network, this.#rate.after(this.#limiterStates.get(network) ?? 0, this.#now()));
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
