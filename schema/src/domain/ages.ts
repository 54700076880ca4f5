/** One day. Ages and retention are counted in days of 24 hours, without regard to calendars or zones. */
export const DAY_MS = 24 * 60 * 60 * 1000;

/** Age in days, with fractions, of something whose age counts from `ageSince`, judged at `asOf`; never negative. Both in ms since the epoch. */
export function ageDays(ageSince: number, asOf: number): number {
  return Math.max(0, (asOf - ageSince) / DAY_MS);
}

/** `days` in whole milliseconds, so that sums and differences of instants cannot round apart. */
export function daysToMs(days: number): number {
  return Math.round(days * DAY_MS);
}

/** Exclusive upper bound of `ageSince` for an age strictly over `days` at `asOf`. All instants in ms since the epoch. */
export function ageSinceBefore(days: number, asOf: number): number {
  return asOf - daysToMs(days);
}
