import { DAY_MS } from "@tierkeep/schema/domain/ages";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Formats a size with three digits: "0 B", "1.5 KiB", "120 MiB". */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // At 1,000 already: 1023.96 would be shown as "1024 KiB".
  while (unit < UNITS.length - 1 && value >= 999.5) {
    value /= 1024;
    unit += 1;
  }
  return `${threeDigits(value, unit > 0)} ${UNITS[unit]}`;
}

/** Formats an age or a waiting time, with at most one decimal of a day: "20 s", "5 min", "3 h", "7 d", "12.5 d". */
export function formatAge(days: number): string {
  const seconds = (days * DAY_MS) / 1_000;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  if (seconds < 59.5 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 23.5 * 3_600) return `${Math.round(seconds / 3_600)} h`;
  // With a second decimal, an artifact that was written minutes ago would leave hot in "6.99 d", and others in "7 d".
  return `${days >= 99.95 ? Math.round(days) : Number(days.toFixed(1))} d`;
}

/** Formats a threshold of a retention policy: "7 d", or "never" for null. */
export function formatDays(days: number | null): string {
  return days === null ? "never" : `${days} d`;
}

/** Formats a duration: "4 ms", "1.25 s", "3 min 5 s". */
export function formatDuration(seconds: number): string {
  if (seconds < 0.9995) return `${Math.max(1, Math.round(seconds * 1_000))} ms`;
  if (seconds < 99.95) return `${threeDigits(seconds, true)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}

/** Formats an instant (RFC 3339, UTC) without fractions of a second: "2026-11-24 09:00:00Z". */
export function formatInstant(instant: string): string {
  return `${instant.slice(0, 19).replace("T", " ")}Z`;
}

/** Formats a count with its noun: "1 artifact", "2 artifacts". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function threeDigits(value: number, fractions: boolean): string {
  if (!fractions || value >= 99.95) return String(Math.round(value));
  return String(Number(value.toFixed(value >= 9.995 ? 1 : 2)));
}
