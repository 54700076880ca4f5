import type { RandomBytes } from "../../src/engine/new-object.ts";
import type { Draw } from "../tiers/crash-loss.ts";

/** Pseudo-random bytes from `draw`: names differ within a story, and are equal when the story is repeated. */
export function seededBytes(draw: Draw): RandomBytes {
  return (sizeBytes) => Buffer.from(Array.from({ length: sizeBytes }, () => draw(255)));
}
