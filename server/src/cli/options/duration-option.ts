import { InvalidArgumentError } from "commander";

const DAYS = { s: 1 / 86_400, m: 1 / 1_440, h: 1 / 24, d: 1, w: 7 } as const;

/** An option's length of time, such as "30d", "12h", "90m", "1.5d" or "2w", in days. @throws InvalidArgumentError */
export function daysOf(text: string): number {
  const [, count, unit] = /^(\d{1,9}(?:\.\d{1,9})?)([smhdw])$/.exec(text) ?? [];
  if (count === undefined || unit === undefined) {
    throw new InvalidArgumentError("Give a number with its unit, such as 30d, 12h, 90m or 2w.");
  }
  return Number(count) * DAYS[unit as keyof typeof DAYS];
}
