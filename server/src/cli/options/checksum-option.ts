import { requireChecksum } from "@tierkeep/schema/domain/checksums";
import { InvalidArgumentError, Option } from "commander";

/** An option that takes a SHA-256 in hex, in either case. */
export function checksumOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text) => {
    try {
      return requireChecksum(text.toLowerCase(), "It");
    } catch {
      throw new InvalidArgumentError("Give a SHA-256 in 64 hexadecimal digits.");
    }
  });
}
