import type { EventRoute, FollowOptions } from "./event-connections.ts";
import type { LifecycleEventFragment } from "./generated/types.ts";

export type EventStream = AsyncIterableIterator<LifecycleEventFragment, undefined> & AsyncDisposable;

/**
 * Follows the event log without end. What that takes is loaded then, not before.
 *
 * @param newest asks for the cursor to begin after, when the caller gave none
 */
export function followEvents(
  route: EventRoute,
  newest: (signal: AbortSignal) => Promise<string>,
  options: FollowOptions,
): EventStream {
  const own = new AbortController();
  const both = AbortSignal.any(options.signal ? [own.signal, options.signal] : [own.signal]);
  const { signal } = route.caller.deadline({ signal: both });
  // Asked for now and not when the first event is: what happens from here on is what the caller means to see.
  const start = options.after == null ? newest(signal) : Promise.resolve(options.after);
  start.catch(() => {});
  async function* following(): AsyncGenerator<LifecycleEventFragment, undefined> {
    const { connections } = await import("./event-connections.ts");
    return yield* connections(route, start, options, signal);
  }
  const events = following();
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () => events.next(),
    // A generator takes no return while it waits for an event: ending its wait comes first.
    async return() {
      own.abort();
      return events.return(undefined);
    },
    async [Symbol.asyncDispose]() {
      await this.return?.();
    },
  };
}
