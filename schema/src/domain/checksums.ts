import { Refused } from "./refusals.ts";

const SHA256_HEX = /^[0-9a-f]{64}$/;

/** Returns `value` if it is a SHA-256 checksum in lower-case hex. @throws Refused BAD_USER_INPUT */
export function requireChecksum(value: string, argument: string): string {
  if (SHA256_HEX.test(value)) return value;
  throw new Refused(
    "BAD_USER_INPUT",
    `${argument} must be a SHA-256 checksum in 64 lower-case hexadecimal digits.`,
    { argument },
  );
}
