import type { UsageLimits } from "@tierkeep/schema/domain/limits";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Metric } from "../monitoring/metrics.ts";
import type { Owner } from "./owner.ts";
import { RateLimiter } from "./rate-limiter.ts";

/** What one principal has in progress, and when it may start the next request. */
interface Use {
  requests: number;
  subscriptions: number;
  /** State of the rate limiter. */
  evenUntil: number;
}

/** Number of idle principals that are kept. */
const MAX_IDLE = 1_000;

/** Counts requests and subscriptions per principal, and refuses those over the limits. */
export class Usage {
  readonly #limits: UsageLimits;
  readonly #rate: RateLimiter | null;
  readonly #now: () => number;
  readonly #uses = new Map<string, Use>();
  #requests = 0;
  #subscriptions = 0;

  constructor(limits: UsageLimits, now: () => number = () => performance.now()) {
    const { requestsPerSecond, burst } = limits;
    this.#limits = limits;
    this.#rate = requestsPerSecond === null ? null : new RateLimiter(requestsPerSecond, burst);
    this.#now = now;
  }

  /** Requests in progress, of all principals. */
  get requests(): number {
    return this.#requests;
  }

  get subscriptions(): number {
    return this.#subscriptions;
  }

  /**
   * Starts a request, a WebSocket or an operation on one.
   *
   * @returns a function to call at its end
   * @throws Refused RATE_LIMITED
   */
  begin(owner: Owner): () => void {
    const use = this.#of(owner);
    const { maxRequestsPerPrincipal } = this.#limits;
    if (use.requests >= maxRequestsPerPrincipal) {
      throw limited(`You have ${use.requests} requests and connections in progress already.`, 1);
    }
    this.#take(use);
    use.requests += 1;
    this.#requests += 1;
    return () => {
      use.requests -= 1;
      this.#requests -= 1;
    };
  }

  /** Starts a subscription, in addition to its request. */
  subscribe(owner: Owner): () => void {
    const use = this.#of(owner);
    const { maxSubscriptions, maxSubscriptionsPerPrincipal } = this.#limits;
    if (use.subscriptions >= maxSubscriptionsPerPrincipal)
      throw limited(`You have ${use.subscriptions} open subscriptions already. End some.`, 5);
    if (this.#subscriptions >= maxSubscriptions)
      throw limited("The server has the maximum number of subscriptions.", 5);
    use.subscriptions += 1;
    this.#subscriptions += 1;
    return () => {
      use.subscriptions -= 1;
      this.#subscriptions -= 1;
    };
  }

  #take(use: Use): void {
    if (this.#rate === null) return;
    const now = this.#now();
    const ms = this.#rate.wait(use.evenUntil, now);
    if (ms > 0) {
      throw limited(
        `You have exceeded ${this.#limits.requestsPerSecond} requests per second for too long.`,
        Math.ceil(ms) / 1_000,
      );
    }
    use.evenUntil = this.#rate.after(use.evenUntil, now);
  }

  #of({ kind, name }: Owner): Use {
    const key = `${kind} ${name}`;
    const known = this.#uses.get(key);
    if (known !== undefined) return known;
    if (this.#uses.size >= MAX_IDLE) this.#forgetIdle();
    const use = { requests: 0, subscriptions: 0, evenUntil: 0 };
    this.#uses.set(key, use);
    return use;
  }

  #forgetIdle(): void {
    const now = this.#now();
    for (const [key, { requests, subscriptions, evenUntil }] of this.#uses) {
      if (requests === 0 && subscriptions === 0 && evenUntil <= now) this.#uses.delete(key);
    }
  }
}

export function usageMetrics({ requests, subscriptions }: Usage): readonly Metric[] {
  return [
    {
      name: "tierkeep_requests_under_way",
      help: "Requests, WebSockets and their operations that are in progress.",
      type: "gauge",
      value: requests,
    },
    {
      name: "tierkeep_subscriptions",
      help: "Open subscriptions.",
      type: "gauge",
      value: subscriptions,
    },
  ];
}

function limited(what: string, retryAfterSeconds: number): Refused {
  return new Refused("RATE_LIMITED", `${what} Wait, then try again.`, { retryAfterSeconds });
}
