import type { RandomBytes } from "../../src/engine/new-object.ts";
import type { Draw } from "../tiers/crash-loss.ts";

/** Bytes by chance, as `draw` has it: names made of them are others each time, and the same when a story is told again. */
export function bytesBy(draw: Draw): RandomBytes {
  return (sizeBytes) => Buffer.from(Array.from({ length: sizeBytes }, () => draw(255)));
}
