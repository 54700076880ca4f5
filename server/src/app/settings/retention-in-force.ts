import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { RetentionPolicy, UpcomingColdDays } from "@tierkeep/schema/domain/policy";
import { storeSettingValue } from "../../config/store-settings.ts";
import type { PendingRetention } from "./stored.ts";

/** How long purges use the longer value after COLD_RETENTION_DAYS was shortened. */
export const NOTICE_MS = DAY_MS;

/** @returns days; infinity for "never" */
export function daysOf(text: string): number {
  return storeSettingValue("COLD_RETENTION_DAYS", text)?.value ?? Number.POSITIVE_INFINITY;
}

/**
 * Returns the longer values that purges still use after COLD_RETENTION_DAYS changed: earlier ones whose notice has not
 * expired, and the previous value. Values that are not longer than the new one are left out.
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
 * Returns the policy in force at `now`. coldDays is the longest value whose notice has not expired; upcomingColdDays lists
 * the shorter values with the instants from which they apply.
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
    // A value whose notice ends before that of a longer value never applies.
    if (next !== undefined && next.until <= from) continue;
    const coldDays = next?.days ?? policy.coldDays;
    if (coldDays !== longest.days) upcoming.push({ coldDays, from });
  }
  const coldDays = Number.isFinite(longest.days) ? longest.days : null;
  return { ...policy, coldDays, upcomingColdDays: upcoming };
}
