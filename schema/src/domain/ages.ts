/**
 * One day in ms. Ages and retention are counted in days of 24 hours, independent of calendars and time zones.
 */
export const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Returns the age in days at `asOf`, with fractions and never negative, counted from `ageSince`. Both are in
 * ms since the epoch.
 */
export function ageDays(ageSince: number, asOf: number): number {
  return Math.max(0, (asOf - ageSince) / DAY_MS);
}

/**
 * Returns `days` as an integer number of ms, so that sums and differences of instants round the same way.
 */
export function daysToMs(days: number): number {
  return Math.round(days * DAY_MS);
}

/**
 * Returns the exclusive upper bound of `ageSince` for an age of more than `days` at `asOf`. Instants are in
 * ms since the epoch.
 */
export function ageSinceBefore(days: number, asOf: number): number {
  return asOf - daysToMs(days);
}
