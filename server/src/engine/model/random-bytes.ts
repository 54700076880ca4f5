import type { Draw } from "../../tiers/filesystem/crash-loss.ts";
import type { RandomBytes } from "../new-object.ts";

/** Bytes by chance, as `draw` has it: names made of them are others each time, and the same when a story is told again. */
export function bytesBy(draw: Draw): RandomBytes {
  return (sizeBytes) => Buffer.from(Array.from({ length: sizeBytes }, () => draw(255)));
}
