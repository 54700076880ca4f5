import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { Clock } from "../../../../engine/clock.ts";

/** A clock that runs like the system's with an offset of some days, which can be increased. */
export class DemoClock implements Clock {
  #offsetMs: number;

  /** @param days initial offset from now; negative: in the past */
  constructor(days: number) {
    this.#offsetMs = days * DAY_MS;
  }

  now(): number {
    return Date.now() + this.#offsetMs;
  }

  advance(days: number): void {
    this.#offsetMs += days * DAY_MS;
  }
}
