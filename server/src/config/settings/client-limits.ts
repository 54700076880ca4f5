import { DEFAULT_LIMITS } from "@tierkeep/schema/domain/limits";
import { bytes, count, countOrNone, type Setting } from "../setting.ts";

const MiB = 2 ** 20;

export const CLIENT_LIMIT_SETTINGS = {
  RATE_LIMIT: {
    shownDefault: "5000",
    default: DEFAULT_LIMITS.usage.requestsPerSecond,
    accepts: 'a number from 1 to 1000000, or "none"',
    description: "requests per second of one principal, averaged over time; further ones are RATE_LIMITED",
    read: countOrNone(1, 1_000_000),
  },
  RATE_LIMIT_BURST: {
    shownDefault: "300000",
    default: DEFAULT_LIMITS.usage.burst,
    accepts: "a number from 1 to 100000000",
    description: "requests of one principal that may exceed RATE_LIMIT before any is rejected",
    read: count(1, 100_000_000),
  },
  MAX_REQUESTS_PER_PRINCIPAL: {
    shownDefault: "2000",
    default: DEFAULT_LIMITS.usage.maxRequestsPerPrincipal,
    accepts: "a number from 1 to 1000000",
    description: "requests and WebSockets of one principal in progress at the same time",
    read: count(1, 1_000_000),
  },
  MAX_SUBSCRIPTIONS_PER_PRINCIPAL: {
    shownDefault: "2000",
    default: DEFAULT_LIMITS.usage.maxSubscriptionsPerPrincipal,
    accepts: "a number from 0 to 1000000",
    description: "open subscriptions of one principal",
    read: count(0, 1_000_000),
  },
  MAX_SUBSCRIPTIONS: {
    shownDefault: "5000",
    default: DEFAULT_LIMITS.usage.maxSubscriptions,
    accepts: "a number from 0 to 1000000",
    description: "open subscriptions in total",
    read: count(0, 1_000_000),
  },
  MAX_HELD_BYTES: {
    shownDefault: "256MiB",
    default: DEFAULT_LIMITS.usage.maxHeldBytes,
    accepts: "bytes from 1MiB, plain or in KiB, MiB, GiB or TiB",
    description:
      "memory for all requests in progress and unsent responses. One principal gets at most half of it; requests beyond that are RATE_LIMITED",
    read: bytes(MiB, 2 ** 40),
  },
} as const satisfies Record<string, Setting<unknown>>;
