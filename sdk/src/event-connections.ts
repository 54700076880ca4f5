import { TierkeepError } from "./errors.ts";
import { type EventSource, sseSource } from "./event-source.ts";
import type { EventRoute, FollowOptions } from "./events.ts";
import type { LifecycleEventFragment } from "./generated/types.ts";
import { delayAfter, mayPass, pause } from "./repeat.ts";

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
