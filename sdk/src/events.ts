import { ConnectionError, TimeoutError } from "./errors.ts";
import type { EventSource } from "./event-source.ts";
import type { LifecycleEventFilter, LifecycleEventFragment } from "./generated/types.ts";
import { delayAfter, mayPass, pause } from "./repeat.ts";

export interface FollowOptions {
  readonly where?: LifecycleEventFilter | null | undefined;
  /** Begin after this event: a cursor that an event carried, or lifecycleEventCursor. Default: after the newest one now. */
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

/** "sse": server-sent events over fetch. "ws": a WebSocket; needs the package graphql-ws. */
export type EventTransport = "sse" | "ws";

export type EventState = "connecting" | "live" | "waiting";

export type EventStream = AsyncIterableIterator<LifecycleEventFragment, undefined> & AsyncDisposable;

/** A connection that held this long, in ms, was a good one: the next pause starts small again. */
const GOOD_CONNECTION_MS = 30_000;

/**
 * Follows the event log without end, across any number of connections: each takes up after the last event that was
 * read, so none is lost and none comes twice.
 *
 * Until the server has answered once, a failure is thrown after `retries` repeats; after that only when it is a refusal
 * that will not pass.
 *
 * @param newest asks for the cursor to begin after, when the caller gave none
 */
export function followEvents(
  source: EventSource,
  newest: (signal: AbortSignal) => Promise<string>,
  options: FollowOptions,
  clientSignal: AbortSignal | undefined,
  retries: number,
): EventStream {
  const own = new AbortController();
  const signal = AbortSignal.any(
    [own.signal, options.signal, clientSignal].filter((each) => each !== undefined),
  );
  // Asked for now and not when the first event is: what happens from here on is what the caller means to see.
  const start = options.after == null ? newest(signal) : Promise.resolve(options.after);
  start.catch(() => {});
  const events = connections(source, start, options, signal, retries);
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

async function* connections(
  source: EventSource,
  start: Promise<string>,
  options: FollowOptions,
  signal: AbortSignal,
  retries: number,
): AsyncGenerator<LifecycleEventFragment, undefined> {
  const { where, onState, silenceMs = 45_000, minDelayMs = 250, maxDelayMs = 15_000 } = options;
  let heard = options.after == null;
  let failures = 0;
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
    const watchdog = new Watchdog(silenceMs);
    try {
      const connection = AbortSignal.any([signal, watchdog.signal]);
      const alive = () => {
        if (!live) onState?.("live");
        heard = live = true;
        watchdog.feed();
      };
      onState?.("connecting");
      watchdog.feed();
      for await (const event of source(where, cursor, connection, alive)) {
        if (signal.aborted) return;
        cursor = event.cursor;
        failures = 0;
        // While the reader is busy nobody listens, so silence means nothing.
        watchdog.stop();
        yield event;
        watchdog.feed();
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!passes(error) || (!heard && failures >= retries)) throw error;
      failure = error;
    } finally {
      watchdog.stop();
    }
    if (performance.now() - begun > GOOD_CONNECTION_MS) failures = 0;
    onState?.("waiting");
    await pause(delayAfter(failures, failure, minDelayMs, maxDelayMs), signal);
    failures += 1;
    if (signal.aborted) return;
  }
}

/** True for what a later connection may not meet again. */
function passes(error: unknown): boolean {
  return (
    mayPass(error) || error instanceof ConnectionError || error instanceof TimeoutError || isAbort(error)
  );
}

/** Our own watchdog's: the caller's abort has been dealt with before. */
function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

/** Aborts its signal when it has not been fed for a while. */
class Watchdog {
  readonly #controller = new AbortController();
  readonly #patienceMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  feed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(), this.#patienceMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
