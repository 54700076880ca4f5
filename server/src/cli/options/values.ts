import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { requireChecksum } from "@tierkeep/schema/domain/checksums";
import { TIERS, type Tier } from "@tierkeep/schema/domain/tiers";
import { InvalidArgumentError, Option } from "commander";
import { repeatableOption } from "./repeatable.ts";

/** Parses a whole number, 0 or more. @throws InvalidArgumentError */
export function countOf(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("Give a whole number, 0 or more.");
  return Number(text);
}

const UNIT_DAYS = { s: 1 / 86_400, m: 1 / 1_440, h: 1 / 24, d: 1, w: 7 } as const;

/** Parses a duration such as "30d", "12h", "90m", "1.5d" or "2w". @returns days @throws InvalidArgumentError */
export function daysOf(text: string): number {
  const [, count, unit] = /^(\d{1,9}(?:\.\d{1,9})?)([smhdw])$/.exec(text) ?? [];
  if (count === undefined || unit === undefined) {
    throw new InvalidArgumentError("Give a number with its unit, such as 30d, 12h, 90m or 2w.");
  }
  return Number(count) * UNIT_DAYS[unit as keyof typeof UNIT_DAYS];
}

/** Parses a duration before now, or an ISO 8601 date. @returns the instant in ISO 8601 @throws InvalidArgumentError */
export function instantOf(text: string): string {
  const isDuration = /^\d+(\.\d+)?[a-z]$/.test(text);
  // V8's Date would also parse "yesterday 5", and "11/12" as month and day.
  const isAccepted = isDuration || /^\d{4}-\d\d-\d\d(?:[T ]|$)/.test(text);
  const instant = new Date(isDuration ? Date.now() - daysOf(text) * DAY_MS : text);
  if (!isAccepted || Number.isNaN(instant.getTime())) {
    const yesterday = new Date(Date.now() - DAY_MS).toISOString().slice(0, 10);
    throw new InvalidArgumentError(
      `Give how long ago, such as 24h or 7d, or an instant, such as ${yesterday} (its midnight in UTC) or ${yesterday}T09:00Z.`,
    );
  }
  return instant.toISOString();
}

/** Returns an option for a SHA-256 in hex, in upper or lower case. */
export function checksumOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text) => {
    try {
      return requireChecksum(text.toLowerCase(), "It");
    } catch {
      throw new InvalidArgumentError("Give a SHA-256 in 64 hexadecimal digits.");
    }
  });
}

/** Returns an option for the name of a tier, in upper or lower case. */
export function tierOption(flags: string, description: string): Option {
  return new Option(flags, withTiers(description)).argParser(tierOf);
}

/** Returns a repeatable option for names of tiers, in upper or lower case. */
export function tiersOption(flags: string, description: string): Option {
  return repeatableOption(flags, withTiers(description), tierOf);
}

function withTiers(description: string): string {
  return `${description}: ${TIERS.join(", ").toLowerCase()}`;
}

function tierOf(text: string): Tier {
  const tier = TIERS.find((each) => each === text.toUpperCase());
  if (tier === undefined) throw new InvalidArgumentError(`Give ${TIERS.join(", ").toLowerCase()}.`);
  return tier;
}
