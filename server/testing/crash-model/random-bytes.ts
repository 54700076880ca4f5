import type { RandomBytes } from "../../src/engine/new-object.ts";
import type { Draw } from "../tiers/crash-loss.ts";

/**
 * Returns random bytes from `draw`. Names made of them are unique within a history, and the same when it is
 * repeated.
 */
export function bytesBy(draw: Draw): RandomBytes {
  return (sizeBytes) => Buffer.from(Array.from({ length: sizeBytes }, () => draw(255)));
}
