import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { InvalidArgumentError } from "commander";
import { daysOf } from "./duration-option.ts";

/** Returns an instant as the API reads it, from a length of time before now or an ISO 8601 date. @throws InvalidArgumentError */
export function instantOf(text: string): string {
  const ago = /^\d+(\.\d+)?[a-z]$/.test(text);
  // V8 would also read "yesterday 5" and "11/12", as months and days in an order of its own.
  const isWritten = ago || /^\d{4}-\d\d-\d\d(?:[T ]|$)/.test(text);
  const instant = new Date(ago ? Date.now() - daysOf(text) * DAY_MS : text);
  if (!isWritten || Number.isNaN(instant.getTime())) {
    const yesterday = new Date(Date.now() - DAY_MS).toISOString().slice(0, 10);
    throw new InvalidArgumentError(
      `Give how long ago, such as 24h or 7d, or an instant, such as ${yesterday} (its midnight in UTC) or ${yesterday}T09:00Z.`,
    );
  }
  return instant.toISOString();
}
