import type { EventRoute, FollowOptions } from "./event-connections.ts";
import type { LifecycleEventFragment } from "./generated/types.ts";

export type EventStream = AsyncIterableIterator<LifecycleEventFragment, undefined> & AsyncDisposable;

/**
 * Returns the stream of events. The code for connections is loaded when the first event is read.
 *
 * @param newest returns the cursor of the newest event, used if `options.after` is not given
 */
export function followEvents(
  route: EventRoute,
  newest: (signal: AbortSignal) => Promise<string>,
  options: FollowOptions,
): EventStream {
  const own = new AbortController();
  const both = AbortSignal.any(options.signal ? [own.signal, options.signal] : [own.signal]);
  const { signal } = route.caller.deadline({ signal: both });
  // Read now and not with the first event, so that the stream includes every event after the call.
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
    // A generator queues return() while it waits for an event, so the wait is aborted first.
    async return() {
      own.abort();
      return events.return(undefined);
    },
    async [Symbol.asyncDispose]() {
      await this.return?.();
    },
  };
}
