import { InvalidArgumentError } from "commander";
import { daysOf } from "./duration-option.ts";

/** An instant as the API takes it. A length of time counts back from now. */
export function instantOf(text: string): string {
  if (/^\d+(\.\d+)?[a-z]$/.test(text)) return ago(daysOf(text));
  const instant = new Date(text);
  if (Number.isNaN(instant.getTime())) {
    throw new InvalidArgumentError(
      "Give a length of time, such as 2h, or an instant, such as 2026-11-24T09:00Z.",
    );
  }
  return instant.toISOString();
}

function ago(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString();
}
