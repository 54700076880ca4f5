import type { Call } from "../call.ts";
import type { OneAtATime, Release } from "./one-at-a-time.ts";
import type { Turns } from "./turns.ts";

export interface EventFlight {
  /** Call it when an event has arrived, before its result is computed. */
  begin(): Promise<void>;
  /**
   * The subscription's results. An event's flight ends when the next result is requested, or when there is
   * none.
   */
  each<T>(results: AsyncGenerator<T, void, void>): AsyncGenerator<T, void, void>;
}

/**
 * Limits the resources of a subscription's events. One event at a time is in flight in `slot`. Each one waits
 * for its principal's turn, and its bytes are charged until the client has read it.
 */
export function eventFlight(call: Call, signal: AbortSignal, slot: OneAtATime, turns: Turns): EventFlight {
  /** Variables of the subscription stay in memory until it ends. */
  const variableBytes = call.charge.bytes;
  let over = false;
  let release: Release = () => {};
  const land = () => {
    release();
    release = () => {};
    call.charge.hold(variableBytes);
  };
  const end = () => {
    over = true;
    land();
  };
  return {
    async begin() {
      release = await slot.take(signal);
      if (!over) await turns.take(call.owner);
      if (!over) return;
      land();
      throw new DOMException("The subscription has ended.", "AbortError");
    },
    each<T>(results: AsyncGenerator<T, void, void>) {
      const generator: AsyncGenerator<T, void, void> = {
        async next() {
          land();
          const result = await results.next();
          if (result.done) end();
          return result;
        },
        async return() {
          end();
          return await results.return();
        },
        async throw(error) {
          end();
          return await results.throw(error);
        },
        [Symbol.asyncIterator]: () => generator,
        async [Symbol.asyncDispose]() {
          await generator.return();
        },
      };
      return generator;
    },
  };
}
