import { Refused } from "./refusals.ts";

const PRINTABLE_ASCII = /^[\x20-\x7e]{1,200}$/;

/** Returns `value` if it can be an idempotency key: 1 to 200 printable ASCII characters. @throws Refused BAD_USER_INPUT */
export function requireIdempotencyKey(value: string, argument: string): string {
  if (PRINTABLE_ASCII.test(value)) return value;
  throw new Refused(
    "BAD_USER_INPUT",
    `${argument} must be 1 to 200 printable ASCII characters, such as a random UUID, new for each change.`,
    { argument },
  );
}
