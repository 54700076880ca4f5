import type { Caller } from "./caller.ts";
import { graphqlRequest } from "./document.ts";
import { ConnectionError, TierkeepError } from "./errors.ts";
import { type EventSource, eventOf } from "./event-source.ts";
import { LifecycleEventsDocument } from "./generated/documents.ts";
import { isRecord, refusalIn } from "./refusals.ts";

/**
 * Interval of pings in ms. Scripts can see their pongs, unlike the pong frames of the WebSocket protocol.
 */
const PING_MS = 15_000;

/**
 * Maximum number of events in the queue. A WebSocket cannot be paused, so with a full queue the connection is
 * closed, and the next one resumes after the last event that was read.
 */
const MAX_WAITING = 1_000;

/** The id of a connection's only subscription. */
const ID = "1";

/** A WebSocket class: the runtime's, or one with the same interface. */
type WebSocketClass = new (url: string, protocol: string) => WebSocket;

/**
 * Returns a source over a WebSocket with the protocol graphql-transport-ws: one connection with one
 * subscription.
 *
 * @param webSocket a WebSocket class, for runtimes without one
 */
export function webSocketSource(caller: Caller, webSocket: unknown): EventSource {
  return async function* (where, after, signal, alive) {
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

    const socket = new (classOf(webSocket))(url.href, "graphql-transport-ws");
    const say = (type: string, rest: object = {}) => socket.send(JSON.stringify({ type, ...rest }));
    let pinging: ReturnType<typeof setInterval> | undefined;
    const hear: Readonly<Record<string, (payload: unknown) => void>> = {
      connection_ack() {
        say("subscribe", { id: ID, payload: graphqlRequest(LifecycleEventsDocument, { where, after }) });
        pinging = setInterval(() => say("ping"), PING_MS);
      },
      ping: () => say("pong"),
      pong: () => {},
      next(result) {
        if (waiting.length < MAX_WAITING) waiting.push(result);
        else finish(null);
        wake();
      },
      error: (errors) => finish(failure(errors)),
      complete: () => finish(null),
    };
    socket.onopen = () =>
      say("connection_init", authorization === undefined ? {} : { payload: { authorization } });
    socket.onmessage = ({ data }) => {
      alive();
      const { type, payload } = messageIn(data);
      const act = typeof type === "string" && Object.hasOwn(hear, type) ? hear[type] : undefined;
      if (act) act(payload);
      else
        finish(new ConnectionError("The WebSocket server does not use the protocol graphql-transport-ws."));
    };
    socket.onerror = (event) => finish(failure(event));
    socket.onclose = (event) => finish(failure(event));
    const abort = () => finish(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
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
      clearInterval(pinging);
      // Some classes deliver messages until the close is confirmed.
      socket.onmessage = null;
      socket.close(1000);
    }
    const { error } = end as { readonly error: unknown };
    if (error !== null) throw error;
  };
}

/** Returns the WebSocket class. @throws TypeError if neither the caller nor the runtime has one */
function classOf(webSocket: unknown): WebSocketClass {
  const found = webSocket ?? globalThis.WebSocket;
  if (typeof found === "function") return found as WebSocketClass;
  throw new TypeError(
    "This runtime has no WebSocket. Pass a class to createTierkeep as `webSocket`, such as that of the package ws.",
  );
}

/** Returns the message in a socket's data; an empty object if the data is not a JSON object. */
function messageIn(data: unknown): { readonly [key: string]: unknown } {
  try {
    const message: unknown = JSON.parse(String(data));
    return isRecord(message) ? message : {};
  } catch {
    return {};
  }
}

/** Returns the error for the end of a subscription: GraphQL errors, or a close or an error of the socket. */
function failure(error: unknown): Error {
  const refusal = refusalIn(error);
  if (refusal) return refusal;
  const code = isRecord(error) ? error.code : undefined;
  if (code === 4401)
    return new TierkeepError(
      "UNAUTHENTICATED",
      "The server rejected the WebSocket: it has no valid credentials.",
    );
  if (code === 4403) return new TierkeepError("FORBIDDEN", "The server rejected the WebSocket.");
  return new ConnectionError("The WebSocket to the server failed or was closed.", { cause: error });
}
