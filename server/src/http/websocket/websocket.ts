import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { exactJson } from "@tierkeep/schema/domain/exact-numbers";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { CloseCode, handleProtocols } from "graphql-ws";
import type { Logger } from "pino";
import { type WebSocket, WebSocketServer } from "ws";
import type { Call } from "../call.ts";
import { GRAPHQL_PATH, maxRequestBytes } from "../graphql/graphql.ts";
import type { Handler } from "../handler.ts";
import { MAX_UNANSWERED, MAX_UNSENT_BYTES } from "../limits/limits.ts";
import { chargeMessages } from "../limits/websocket-charge.ts";
import { headersOf } from "../node/node-request.ts";
import { oversizedHeader } from "../node/oversized-header.ts";
import { refuseRaw } from "../node/raw-refusal.ts";
import { HttpRefused } from "../problem.ts";
import { graphqlProtocol, SocketState } from "./websocket-protocol.ts";

/** Proxies and clients take a silent connection for a dead one; so do we, when a ping stays without an answer. */
const KEEPALIVE_MS = 12_000;

/** How long the last words of subscriptions may take before sockets are closed. */
const FAREWELL_MS = 2000;

export interface WebSockets {
  upgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Takes no more sockets, lets subscriptions that have ended say so, then closes what there is. */
  close(): Promise<void>;
}

/** GraphQL over WebSockets (graphql-transport-ws), with all that holds for GraphQL over HTTP. */
export function webSockets(
  handler: Handler,
  openCall: (message: IncomingMessage, operation: string) => Call,
  maxInlineBytes: number,
  log: Logger,
): WebSockets {
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (protocols) => handleProtocols(protocols),
    maxPayload: maxRequestBytes(maxInlineBytes),
    perMessageDeflate: false,
    // One message in a turn of the event loop, however many come at once.
    allowSynchronousEvents: false,
  });
  const protocol = graphqlProtocol(handler, (...closing) => void farewell(...closing));
  const upgrades = new WeakMap<IncomingMessage, Call>();
  let closing = false;

  // What is no handshake: the library would answer in words of its own.
  sockets.on("wsClientError", ({ message }, socket, request) => {
    const call = upgrades.get(request) ?? openCall(request, "websocket upgrade");
    const refused = new Refused("BAD_USER_INPUT", `This is not the handshake of a WebSocket: ${message}.`);
    const headers = { "sec-websocket-version": "13, 8" };
    refuseRaw(socket, new HttpRefused(refused, { headers }), call);
  });

  function accept(socket: WebSocket, message: IncomingMessage, call: Call): void {
    call.operation = "websocket connection";
    call.route = "websocket";
    const state = new SocketState(socket, headersOf(message), call);
    const completeMessage = chargeMessages(socket, message.socket, call);
    const isBusy = () => state.unanswered >= MAX_UNANSWERED;
    const throttle = () => {
      if (socket.bufferedAmount > MAX_UNSENT_BYTES || isBusy()) socket.pause();
    };
    const unthrottle = () => {
      if (socket.isPaused && socket.bufferedAmount < MAX_UNSENT_BYTES / 2 && !isBusy()) socket.resume();
    };
    const stopPinging = keepAlive(socket, () => isBusy() && socket.bufferedAmount === 0);
    socket.on("error", (error) => log.debug({ err: error }, "websocket"));
    socket.on("ping", throttle);
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        // Resolves when the system has taken the bytes: until then no further event is asked for.
        send: (message) =>
          new Promise((resolve) => {
            const data = state.results.fill(message);
            if (socket.readyState !== socket.OPEN) return resolve();
            call.charge.hold(call.charge.bytes + data.length);
            socket.send(data, () => {
              call.charge.add(-data.length);
              unthrottle();
              resolve();
            });
            throttle();
          }),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (take) =>
          socket.on("message", (data, isBinary) => {
            if (isBinary) return socket.close(CloseCode.BadRequest, "Invalid message received");
            const release = completeMessage();
            state
              .take(exactJson(String(data)), take)
              .catch((error: unknown) => {
                log.error({ err: error }, "internal error");
                socket.close(CloseCode.InternalServerError, "Internal server error");
              })
              .finally(() => {
                release();
                unthrottle();
              });
            throttle();
          }),
      },
      state,
    );
    socket.once("close", (code, reason) => {
      stopPinging();
      state.close();
      void Promise.resolve(closed(code, String(reason))).catch(() => {});
    });
  }

  return {
    upgrade(message, socket, head) {
      const headers = headersOf(message);
      const call = openCall(message, "websocket upgrade");
      upgrades.set(message, call);
      try {
        const oversized = oversizedHeader(message.rawHeaders);
        if (oversized !== null) throw oversized;
        handler.admit(headers.get("host") ?? "", headers.get("origin"));
        if (!handler.isGraphQL(message.url ?? ""))
          throw new Refused("NOT_FOUND", `WebSockets are at ${GRAPHQL_PATH}.`);
        if (closing) throw new Refused("UNAVAILABLE", "The server is shutting down. Connect again.");
        const authorization = headers.get("authorization");
        if (authorization !== null) handler.requireLookedAt(call, authorization);
      } catch (error) {
        refuseRaw(socket, handler.refusalOf(error, call), call);
        return;
      }
      sockets.handleUpgrade(message, socket, head, (opened) => accept(opened, message, call));
    },
    async close() {
      closing = true;
      const open = [...sockets.clients];
      await Promise.race([
        Promise.all(open.map((socket) => farewell(socket, 1001, "Server is shutting down"))),
        sleep(FAREWELL_MS),
      ]);
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    },
  };
}

/** Closes it after whatever has just ended has said so, which it does in this turn of the loop or the next. */
function farewell(socket: WebSocket, code: number, reason: string): Promise<void> {
  return new Promise((resolve) => {
    socket.once("close", () => resolve());
    setTimeout(() => socket.close(code, reason), 50);
  });
}

/**
 * Pings a socket, and ends it when its client has not answered by the next ping. The answer has to repeat what the ping
 * says, so that a client which does not read cannot give it.
 *
 * @param isBusy true: the server itself has stopped reading, so that it cannot see an answer
 * @returns how to stop
 */
function keepAlive(socket: WebSocket, isBusy: () => boolean): () => void {
  let asked: Buffer | null = null;
  socket.on("pong", (data) => {
    if (asked?.equals(data)) asked = null;
  });
  const timer = setInterval(() => {
    if (asked !== null && !isBusy()) return socket.terminate();
    asked = randomBytes(8);
    socket.ping(asked);
  }, KEEPALIVE_MS);
  return () => clearInterval(timer);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
