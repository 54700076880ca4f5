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

/** Milliseconds between pings. Pings keep proxies from closing a silent connection, and detect dead clients. */
const KEEPALIVE_MS = 12_000;

/** How long subscriptions may take to send their last results before sockets are closed, in ms. */
const LAST_RESULTS_MS = 2000;

export interface WebSockets {
  upgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Accepts no more sockets, lets ended subscriptions send their last results, then closes all sockets. */
  close(): Promise<void>;
}

/** GraphQL over WebSockets (graphql-transport-ws), with the same rules as GraphQL over HTTP. */
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
    // One message per turn of the event loop, even if several arrive together.
    allowSynchronousEvents: false,
  });
  const protocol = graphqlProtocol(handler, (...closing) => void closeAfterResults(...closing));
  const upgrades = new WeakMap<IncomingMessage, Call>();
  let closing = false;

  // Invalid handshakes: the library would respond with its own text.
  sockets.on("wsClientError", ({ message }, socket, request) => {
    const call = upgrades.get(request) ?? openCall(request, "websocket upgrade");
    const refused = new Refused("BAD_USER_INPUT", `This is not a valid WebSocket handshake: ${message}.`);
    const headers = { "sec-websocket-version": "13, 8" };
    refuseRaw(socket, new HttpRefused(refused, { headers }), call);
  });

  /** Connects an open socket to the protocol, and stops reading from it while it is over its limits. */
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
        // Resolves when the system has accepted the bytes. The next event is requested only after that.
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
        onMessage: (handle) =>
          socket.on("message", (data, isBinary) => {
            if (isBinary) return socket.close(CloseCode.BadRequest, "Invalid message received");
            const release = completeMessage();
            state
              .process(exactJson(String(data)), handle)
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
        if (authorization !== null) handler.requireAttempt(call, authorization);
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
        Promise.all(open.map((socket) => closeAfterResults(socket, 1001, "Server is shutting down"))),
        sleep(LAST_RESULTS_MS),
      ]);
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    },
  };
}

/** Closes a socket after 50 ms, so that operations that have just ended can send their last results. */
function closeAfterResults(socket: WebSocket, code: number, reason: string): Promise<void> {
  return new Promise((resolve) => {
    socket.once("close", () => resolve());
    setTimeout(() => socket.close(code, reason), 50);
  });
}

/**
 * Pings a socket, and terminates it if the client has not answered by the next ping. The answer must repeat
 * the ping's data, so a client that does not read cannot give it.
 *
 * @param isBusy whether the server has stopped reading, so that it cannot see an answer
 * @returns a function that stops it
 */
function keepAlive(socket: WebSocket, isBusy: () => boolean): () => void {
  let pending: Buffer | null = null;
  socket.on("pong", (data) => {
    if (pending?.equals(data)) pending = null;
  });
  const timer = setInterval(() => {
    if (pending !== null && !isBusy()) return socket.terminate();
    pending = randomBytes(8);
    socket.ping(pending);
  }, KEEPALIVE_MS);
  return () => clearInterval(timer);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
