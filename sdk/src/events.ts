import type { Caller } from "./caller.ts";
import type { LifecycleEventFilter, LifecycleEventFragment } from "./generated/types.ts";

export interface FollowOptions {
  readonly where?: LifecycleEventFilter | null | undefined;
  /**
   * Begin after this event: a cursor that an event carried, or lifecycleEventCursor, which, awaited before a change, is
   * sure to show it. Default: after the newest one at the time of the call.
   */
  readonly after?: string | null | undefined;
  /** Ends the events, without an error. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Told how it stands with the connection: "connecting", then "live" once the server gives a sign of life, and "waiting"
   * for the next attempt after it has ended.
   */
  readonly onState?: ((state: EventState) => void) | undefined;
  /** Default: the client's. */
  readonly transport?: EventTransport | undefined;
  /** A connection that gives no sign of life for this long, in ms, is given up. Servers give one every 15 s. Default 45 s. */
  readonly silenceMs?: number | undefined;
  /** The pause before a reconnect, in ms: from about minDelayMs (default 250), doubling, to about maxDelayMs (default 15 s). */
  readonly minDelayMs?: number | undefined;
  readonly maxDelayMs?: number | undefined;
}

/** "sse": server-sent events over fetch. "ws": a WebSocket, by the protocol graphql-transport-ws. */
export type EventTransport = "sse" | "ws";

export type EventState = "connecting" | "live" | "waiting";

export type EventStream = AsyncIterableIterator<LifecycleEventFragment, undefined> & AsyncDisposable;

/** What a connection to the event log is made with. */
export interface EventRoute {
  readonly caller: Caller;
  readonly transport: EventTransport;
  /** A WebSocket class, where the runtime has none of its own. */
  readonly webSocket: unknown;
}

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
