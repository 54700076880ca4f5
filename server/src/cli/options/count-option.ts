import { InvalidArgumentError } from "commander";

/** An option's whole number, 0 or more. @throws InvalidArgumentError */
export function countOf(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("Give a whole number, 0 or more.");
  return Number(text);
}
