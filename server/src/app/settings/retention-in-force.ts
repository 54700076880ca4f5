import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { RetentionPolicy, UpcomingColdDays } from "@tierkeep/schema/domain/policy";
import { storeSettingValue } from "../../config/store-settings.ts";
import type { PendingRetention } from "./stored.ts";

/** How long purges go by the longer value after COLD_RETENTION_DAYS was shortened. */
export const NOTICE_MS = DAY_MS;

/** @returns days; infinity for "never" */
export function daysOf(text: string): number {
  return storeSettingValue("COLD_RETENTION_DAYS", text)?.value ?? Number.POSITIVE_INFINITY;
}

/**
 * The longer values that purges go by after COLD_RETENTION_DAYS changed: the earlier ones whose notice still runs, and
 * the value before where it was longer. Those that are not longer than the new value are dropped.
 */
export function pendingAfterChange(
  held: readonly PendingRetention[],
  before: string,
  after: string,
  now: number,
): PendingRetention[] {
  const until = new Date(now + NOTICE_MS).toISOString();
  const running = held.filter((each) => Date.parse(each.until) > now);
  return [...running, { value: before, until }].filter(({ value }) => daysOf(value) > daysOf(after));
}

/**
 * The policy in force at `now`: its coldDays is the longest that is still held, and upcomingColdDays names the shorter
 * ones with the instants from which they apply.
 */
export function policyInForce(
  policy: RetentionPolicy,
  held: readonly PendingRetention[],
  now: number,
): RetentionPolicy {
  const running = held
    .map(({ value, until }) => ({ days: daysOf(value), until: Date.parse(until) }))
    .filter(({ days, until }) => until > now && days > (policy.coldDays ?? Number.POSITIVE_INFINITY))
    .toSorted((one, other) => other.days - one.days);
  const [longest] = running;
  if (longest === undefined || policy.coldDays === null) return policy;
  const upcoming: UpcomingColdDays[] = [];
  let from = 0;
  for (const [index, { until }] of running.entries()) {
    from = Math.max(from, until);
    const next = running[index + 1];
    // A value whose own notice ends before that of a longer one is never in force by itself.
    if (next !== undefined && next.until <= from) continue;
    const coldDays = next?.days ?? policy.coldDays;
    if (coldDays !== longest.days) upcoming.push({ coldDays, from });
  }
  const coldDays = Number.isFinite(longest.days) ? longest.days : null;
  return { ...policy, coldDays, upcomingColdDays: upcoming };
}
