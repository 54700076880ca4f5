import type { Caller } from "./caller.ts";
import { TierkeepError } from "./errors.ts";
import { type EventSource, sseSource } from "./event-source.ts";
import type { LifecycleEventFilter, LifecycleEventFragment } from "./generated/types.ts";
import { delayAfter, mayPass, pause } from "./repeat.ts";

export interface FollowOptions {
  readonly where?: LifecycleEventFilter | null | undefined;
  /**
   * Start after this cursor: the `cursor` of an event, or the result of lifecycleEventCursor. To be sure to
   * receive the event of a change, await lifecycleEventCursor before the change. Default: the newest event at
   * the time of the call.
   */
  readonly after?: string | null | undefined;
  /** Ends the stream without an error. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called when the state of the connection changes: "connecting", then "live" when the first data arrives,
   * and "waiting" before the next attempt after it has ended.
   */
  readonly onState?: ((state: EventState) => void) | undefined;
  /** Default: the client's. */
  readonly transport?: EventTransport | undefined;
  /**
   * A connection without data for this many ms is closed and opened again. Servers send a keepalive every 15
   * s. Default: 45,000.
   */
  readonly silenceMs?: number | undefined;
  /** The minimum delay before a reconnect, in ms. It doubles with each failure. Default: about 250. */
  readonly minDelayMs?: number | undefined;
  /** The maximum delay before a reconnect, in ms. Default: about 15,000. */
  readonly maxDelayMs?: number | undefined;
}

/** "sse": Server-Sent Events over fetch. "ws": a WebSocket with the protocol graphql-transport-ws. */
export type EventTransport = "sse" | "ws";

export type EventState = "connecting" | "live" | "waiting";

/** The parts that a connection to the event log needs. */
export interface EventRoute {
  readonly caller: Caller;
  readonly transport: EventTransport;
  /** A WebSocket class, for runtimes without one. */
  readonly webSocket: unknown;
}

/** After a connection of at least this many ms, the delay before a reconnect starts at its minimum again. */
const GOOD_CONNECTION_MS = 30_000;

/**
 * Yields the event log across any number of connections. Each connection resumes after the last event that
 * was read, so every event is yielded exactly once.
 *
 * Until the server has responded once, a failure is thrown after `retries` retries. After that, only a
 * permanent refusal is thrown.
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
        // While the reader processes an event, no messages are read, so the silence timer is stopped.
        clearTimeout(timer);
        yield event;
        feed();
      }
    } catch (error) {
      if (signal.aborted) return;
      // The token has expired. The next connection gets a new one; if that is rejected too, the error is
      // thrown.
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

/**
 * Returns true for an error that a later connection may not have. An AbortError comes from the silence timer
 * here: the caller's abort is handled before.
 */
function passes(error: unknown): boolean {
  return mayPass(error) || (error instanceof Error && /^(?:Abort|Connection|Timeout)Error$/.test(error.name));
}

async function sourceOf({ caller, transport, webSocket }: EventRoute): Promise<EventSource> {
  if (transport !== "ws") return sseSource(caller);
  // A separate chunk, which only clients with the transport "ws" load.
  const { webSocketSource } = await import("./websocket-source.ts");
  return webSocketSource(caller, webSocket);
}
