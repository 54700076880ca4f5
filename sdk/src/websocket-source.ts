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
 * closed, and the next one resumes after the last event that was read.
 */
const MAX_WAITING = 1_000;

/** The one subscription of a connection. */
const ID = "1";

/** A WebSocket class: the runtime's own, or one with the same interface. */
type WebSocketClass = new (url: string, protocol: string) => WebSocket;

/**
 * Events over a WebSocket, by the graphql-transport-ws protocol: one connection with one subscription.
 *
 * @param webSocket a WebSocket class, where the runtime has none
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
      else finish(new ConnectionError("The WebSocket's server does not speak graphql-transport-ws."));
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
      // Some classes deliver messages until the close has been confirmed.
      socket.onmessage = null;
      socket.close(1000);
    }
    const { error } = end as { readonly error: unknown };
    if (error !== null) throw error;
  };
}

/** @throws TypeError where neither the caller nor the runtime has a WebSocket class */
function classOf(webSocket: unknown): WebSocketClass {
  const found = webSocket ?? globalThis.WebSocket;
  if (typeof found === "function") return found as WebSocketClass;
  throw new TypeError(
    "This runtime has no WebSocket. Give createTierkeep a class as `webSocket`, such as that of the package ws.",
  );
}

/** The message in what a socket received; an empty object where that is not a JSON object. */
function messageIn(data: unknown): { readonly [key: string]: unknown } {
  try {
    const message: unknown = JSON.parse(String(data));
    return isRecord(message) ? message : {};
  } catch {
    return {};
  }
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
