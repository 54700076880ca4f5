import type { Caller } from "./caller.ts";
import { graphqlRequest } from "./document.ts";
import { ConnectionError, TierkeepError } from "./errors.ts";
import { type EventSource, eventOf } from "./event-source.ts";
import { LifecycleEventsDocument } from "./generated/documents.ts";
import { isRecord, refusalIn } from "./refusals.ts";

/** A ping this often, in ms: its pong is a sign of life that scripts can see, unlike the protocol's own ping frames. */
const PING_MS = 15_000;

/**
 * How many events may wait for their reader. A WebSocket cannot be told to pause, so beyond this the connection is
 * dropped, and taken up again after the last event that was read.
 */
const MAX_WAITING = 1_000;

/**
 * Events over a WebSocket, by the graphql-ws protocol and package, which is loaded when this is first used.
 *
 * @param webSocket a WebSocket class, where the runtime has none of its own
 */
export function webSocketSource(caller: Caller, webSocket: unknown): EventSource {
  return async function* (where, after, signal, alive) {
    const { createClient } = await import("graphql-ws/client");
    const authorization = await caller.authorization();
    const url = new URL(caller.endpoint);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";

    const waiting: unknown[] = [];
    let end: { readonly error: unknown } | null = null;
    let wake = () => {};
    const finish = (error: unknown) => {
      end ??= { error };
      wake();
    };

    const client = createClient({
      url: url.href,
      retryAttempts: 0,
      keepAlive: PING_MS,
      ...(webSocket === undefined ? {} : { webSocketImpl: webSocket }),
      ...(authorization === undefined ? {} : { connectionParams: { authorization } }),
      on: {
        message: alive,
        // After a close that was meant graphql-ws would connect again whatever its settings, and begin at the old cursor.
        closed(event) {
          finish(failure(event));
          unsubscribe();
        },
      },
    });
    const abort = () => finish(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    const unsubscribe = client.subscribe(graphqlRequest(LifecycleEventsDocument, { where, after }), {
      next(result) {
        if (waiting.length < MAX_WAITING) waiting.push(result);
        else finish(null);
        wake();
      },
      error: (error) => finish(failure(error)),
      complete: () => finish(null),
    });
    try {
      for (;;) {
        signal.throwIfAborted();
        const [result] = waiting.splice(0, 1);
        if (result !== undefined) yield eventOf(result);
        else if (end !== null) break;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      signal.removeEventListener("abort", abort);
      client.terminate();
    }
    const { error } = end as { readonly error: unknown };
    if (error !== null) throw error;
  };
}

/** What ended a subscription: GraphQL errors, a close of the socket, or an error of the socket. */
function failure(error: unknown): Error {
  const refusal = refusalIn(error);
  if (refusal) return refusal;
  const code = isRecord(error) ? error.code : undefined;
  if (code === 4401)
    return new TierkeepError("UNAUTHENTICATED", "The server refused the WebSocket: no valid credentials.");
  if (code === 4403) return new TierkeepError("FORBIDDEN", "The server refused the WebSocket.");
  return new ConnectionError("The WebSocket to the server failed or was closed.", { cause: error });
}
