import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { InvalidArgumentError } from "commander";
import { daysOf } from "./duration-option.ts";

/** An instant as the API takes it. A length of time counts back from now. */
export function instantOf(text: string): string {
  const ago = /^\d+(\.\d+)?[a-z]$/.test(text);
  const instant = new Date(ago ? Date.now() - daysOf(text) * DAY_MS : text);
  if (Number.isNaN(instant.getTime())) {
    throw new InvalidArgumentError(
      "Give a length of time, such as 2h, or an instant, such as 2026-11-24T09:00Z.",
    );
  }
  return instant.toISOString();
}
