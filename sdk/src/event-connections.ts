import type { Caller } from "./caller.ts";
import { TierkeepError } from "./errors.ts";
import { type EventSource, sseSource } from "./event-source.ts";
import type { LifecycleEventFilter, LifecycleEventFragment } from "./generated/types.ts";
import { delayAfter, mayPass, pause } from "./repeat.ts";

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

/** What a connection to the event log is made with. */
export interface EventRoute {
  readonly caller: Caller;
  readonly transport: EventTransport;
  /** A WebSocket class, where the runtime has none of its own. */
  readonly webSocket: unknown;
}

/** A connection that held this long, in ms, was a good one: the next pause starts small again. */
const GOOD_CONNECTION_MS = 30_000;

/**
 * The event log across any number of connections: each takes up after the last event that was read, so none is lost and
 * none comes twice.
 *
 * Until the server has answered once, a failure is thrown after `retries` repeats; after that only when it is a refusal
 * that will not pass.
 */
export async function* connections(
  route: EventRoute,
  start: Promise<string>,
  options: FollowOptions,
  signal: AbortSignal,
): AsyncGenerator<LifecycleEventFragment, undefined> {
  const { where, onState, silenceMs = 45_000, minDelayMs = 250, maxDelayMs = 15_000 } = options;
  const { retries } = route.caller;
  const source = await sourceOf(route);
  let heard = options.after == null;
  let failures = 0;
  let lapsed = false;
  let cursor: string;
  try {
    cursor = await start;
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }

  for (;;) {
    const begun = performance.now();
    let failure: unknown;
    let live = false;
    const watchdog = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const feed = () => {
      clearTimeout(timer);
      timer = setTimeout(() => watchdog.abort(), silenceMs);
    };
    try {
      const connection = AbortSignal.any([signal, watchdog.signal]);
      const alive = () => {
        if (!live) onState?.("live");
        heard = live = true;
        lapsed = false;
        feed();
      };
      onState?.("connecting");
      feed();
      for await (const event of source(where, cursor, connection, alive)) {
        if (signal.aborted) return;
        cursor = event.cursor;
        failures = 0;
        // While the reader is busy nobody listens, so silence means nothing.
        clearTimeout(timer);
        yield event;
        feed();
      }
    } catch (error) {
      if (signal.aborted) return;
      // A token has come to its end: the next connection asks for another one, and if that is refused, there is none.
      const lapses =
        error instanceof TierkeepError && error.code === "UNAUTHENTICATED" && route.caller.renews;
      if (!(lapses && !lapsed) && (!passes(error) || (!heard && failures >= retries))) throw error;
      lapsed = lapses;
      failure = error;
    } finally {
      clearTimeout(timer);
    }
    if (performance.now() - begun > GOOD_CONNECTION_MS) failures = 0;
    onState?.("waiting");
    await pause(delayAfter(failures, failure, minDelayMs, maxDelayMs), signal);
    failures += 1;
    if (signal.aborted) return;
  }
}

/** True for what a later connection may not meet again. An abort is our own watchdog's: the caller's has been dealt with before. */
function passes(error: unknown): boolean {
  return mayPass(error) || (error instanceof Error && /^(?:Abort|Connection|Timeout)Error$/.test(error.name));
}

async function sourceOf({ caller, transport, webSocket }: EventRoute): Promise<EventSource> {
  if (transport !== "ws") return sseSource(caller);
  // A part of its own, which only clients that use WebSockets load.
  const { webSocketSource } = await import("./websocket-source.ts");
  return webSocketSource(caller, webSocket);
}
