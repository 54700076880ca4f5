import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { Clock } from "../../../../engine/clock.ts";

/** A clock that is turned by hand: it runs like the system's, some days away from it. */
export class DemoClock implements Clock {
  #offsetMs: number;

  /** @param days how far from now it starts; under 0: in the past */
  constructor(days: number) {
    this.#offsetMs = days * DAY_MS;
  }

  now(): number {
    return Date.now() + this.#offsetMs;
  }

  turnForward(days: number): void {
    this.#offsetMs += days * DAY_MS;
  }
}
