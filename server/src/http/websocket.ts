import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { exactJson } from "@tierkeep/schema/domain/exact-numbers";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { type ExecutionArgs, type ExecutionResult, GraphQLError } from "graphql";
import { CloseCode, handleProtocols, makeServer } from "graphql-ws";
import type { Logger } from "pino";
import { type WebSocket, WebSocketServer } from "ws";
import type { Call } from "./call.ts";
import { onLapse, requireValid } from "./credentials.ts";
import { GRAPHQL_PATH, maxRequestBytes } from "./graphql.ts";
import { formatted, presentable } from "./graphql-result.ts";
import type { Handler } from "./handler.ts";
import { chargeMessages } from "./limits/websocket-charge.ts";
import { headersOf } from "./node-request.ts";
import { oversizedHeader } from "./oversized-header.ts";
import { HttpRefused } from "./problem.ts";
import { refuseRaw } from "./raw-refusal.ts";

/** Proxies and clients take a silent connection for a dead one; so do we, when a ping stays without an answer. */
const KEEPALIVE_MS = 12_000;

/** Bytes that may wait for a client to take them before nothing more is read from it. */
const MAX_WAITING_BYTES = 1024 * 1024;

/**
 * How a socket is closed that nobody has been recognised on, whose credentials have lapsed, or whose principal has too
 * many (4429 would read as too many initialisations, to one who sent one) or cannot be asked about now.
 */
const CLOSINGS = {
  UNAUTHENTICATED: [CloseCode.Unauthorized, "Unauthorized"],
  RATE_LIMITED: [1013, "Too many connections or requests. Try again later"],
} as const;

/** How long the last words of subscriptions may take before sockets are closed. */
const FAREWELL_MS = 2000;

export interface WebSockets {
  upgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Takes no more sockets, lets subscriptions that have ended say so, then closes what there is. */
  close(): Promise<void>;
}

/** What is known of one socket. */
interface Extra {
  readonly socket: WebSocket;
  readonly headers: Headers;
  /** The socket's own, as long as it is open. Nobody's until its connection_init. */
  readonly call: Call;
  /** Its operations under way, by their ids. */
  readonly calls: Map<string, Call>;
  /** Ends the wait for the credentials to lapse. */
  forget: () => void;
}

/** GraphQL over WebSockets (graphql-transport-ws), with all that holds for GraphQL over HTTP. */
export function webSockets(handler: Handler, maxInlineBytes: number, log: Logger): WebSockets {
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (protocols) => handleProtocols(protocols),
    maxPayload: maxRequestBytes(maxInlineBytes),
    perMessageDeflate: false,
  });
  const protocol = graphqlProtocol(handler);
  let closing = false;

  // What is no handshake: the library would answer in words of its own.
  sockets.on("wsClientError", ({ message }, socket, request) => {
    const call = callOf(request, "websocket upgrade");
    const refused = new Refused("BAD_USER_INPUT", `This is not the handshake of a WebSocket: ${message}.`);
    const headers = { "sec-websocket-version": "13, 8" };
    refuseRaw(socket, new HttpRefused(refused, { headers }), call);
  });

  function callOf(message: IncomingMessage, operation: string): Call {
    return handler.openCall(headersOf(message), operation, message.socket.remoteAddress);
  }

  function accept(socket: WebSocket, message: IncomingMessage): void {
    const headers = headersOf(message);
    const call = callOf(message, "websocket connection");
    const extra: Extra = { socket, headers, call, calls: new Map(), forget: () => {} };
    const stopPinging = keepAlive(socket);
    const completeMessage = chargeMessages(socket, message.socket, call);
    const throttle = () => {
      if (socket.bufferedAmount > MAX_WAITING_BYTES) socket.pause();
    };
    socket.on("error", (error) => log.debug({ err: error }, "websocket"));
    socket.on("ping", throttle);
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        // Resolves when the system has taken the bytes: until then no further event is asked for.
        send: (data) =>
          new Promise((resolve) => {
            if (socket.readyState !== socket.OPEN) return resolve();
            socket.send(data, () => {
              if (socket.isPaused && socket.bufferedAmount < MAX_WAITING_BYTES / 2) socket.resume();
              resolve();
            });
            throttle();
          }),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (take) =>
          socket.on("message", (data, isBinary) => {
            if (isBinary) return socket.close(CloseCode.BadRequest, "Invalid message received");
            const release = completeMessage();
            take(exactJson(String(data)))
              .catch((error: unknown) => {
                log.error({ err: error }, "internal error");
                socket.close(CloseCode.InternalServerError, "Internal server error");
              })
              .finally(release);
          }),
      },
      extra,
    );
    socket.once("close", (code, reason) => {
      stopPinging();
      extra.forget();
      void Promise.resolve(closed(code, String(reason))).catch(() => {});
      for (const each of extra.calls.values()) each.end();
      call.end();
    });
  }

  return {
    upgrade(message, socket, head) {
      const headers = headersOf(message);
      const call = callOf(message, "websocket upgrade");
      try {
        const oversized = oversizedHeader(message.rawHeaders);
        if (oversized !== null) throw oversized;
        handler.admit(headers.get("host") ?? "", headers.get("origin"));
        const [path] = (message.url ?? "").split("?");
        if (path !== GRAPHQL_PATH) throw new Refused("NOT_FOUND", `WebSockets are at ${GRAPHQL_PATH}.`);
        if (closing) throw new Refused("UNAVAILABLE", "The server is shutting down. Connect again.");
        const authorization = headers.get("authorization");
        if (authorization !== null) handler.requireLookedAt(call, authorization);
      } catch (error) {
        refuseRaw(socket, handler.refusalOf(error, call), call);
        return;
      }
      sockets.handleUpgrade(message, socket, head, (opened) => accept(opened, message));
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

function graphqlProtocol(handler: Handler) {
  type Enveloped = ReturnType<Handler["yoga"]["getEnveloped"]>;
  const envelopedOf = new WeakMap<object, Enveloped>();
  const present = (result: ExecutionResult, call: Call) =>
    presentable(result, call, (error) => handler.onInternal(error, call));
  const callOf = (extra: unknown, id: string) => (extra as Extra).calls.get(id) as Call;

  return makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: 10_000,
    async onConnect({ extra, connectionParams }) {
      const { call, headers, socket } = extra;
      try {
        await handler.identify(call, authorizationOf(connectionParams) ?? headers.get("authorization"));
        handler.begin(call);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        call.end(error);
        const [code, reason] = CLOSINGS[error.code === "UNAUTHENTICATED" ? error.code : "RATE_LIMITED"];
        socket.close(code, reason);
        return false;
      }
      if (socket.readyState !== socket.OPEN) return false;
      extra.forget = onLapse(call.credentials, () => void farewell(socket, ...CLOSINGS.UNAUTHENTICATED));
      return true;
    },
    async onSubscribe({ extra }, id, { query, variables, operationName }) {
      const call = handler.openCall(extra.headers, "websocket");
      call.credentials = extra.call.credentials;
      call.assign(extra.call.owner);
      extra.calls.set(id, call);
      const params = { query, variables: variables ?? undefined, operationName: operationName || undefined };
      const enveloped = handler.yoga.getEnveloped({ call, signal: handler.ending, params } as never);
      try {
        requireValid(call.credentials);
        handler.begin(call);
        const document = enveloped.parse(query);
        const problems = enveloped.validate(enveloped.schema, document);
        if (problems.length > 0) return problems as readonly GraphQLError[];
        const args: ExecutionArgs = {
          schema: enveloped.schema,
          document,
          variableValues: variables ?? null,
          operationName: operationName || null,
          contextValue: await enveloped.contextFactory(),
        };
        envelopedOf.set(args, enveloped);
        return args;
      } catch (error) {
        return [
          error instanceof GraphQLError
            ? error
            : new GraphQLError("refused", { originalError: error as Error }),
        ];
      }
    },
    execute: (args) => (envelopedOf.get(args) as Enveloped).execute(args),
    subscribe: (args) => (envelopedOf.get(args) as Enveloped).subscribe(args),
    onNext: ({ extra }, id, _payload, _args, result) =>
      formatted(present(result as ExecutionResult, callOf(extra, id))),
    onError: ({ extra }, id, _payload, errors) => {
      const call = callOf(extra, id);
      const all = errors as readonly GraphQLError[];
      const shown = formatted(present({ errors: all }, call)).errors;
      extra.calls.delete(id);
      call.end();
      return shown;
    },
    onComplete: ({ extra }, id) => {
      extra.calls.get(id)?.end();
      extra.calls.delete(id);
    },
  });
}

/** What a page sends, for browsers give WebSockets no headers. */
function authorizationOf(params: Readonly<Record<string, unknown>> | undefined): string | null {
  const [, given] =
    Object.entries(params ?? {}).find(([name]) => name.toLowerCase() === "authorization") ?? [];
  return typeof given === "string" ? given : null;
}

/** Pings, and ends a socket that has not answered by the next one. Returns how to stop. */
function keepAlive(socket: WebSocket): () => void {
  let answered = true;
  socket.on("pong", () => {
    answered = true;
  });
  const timer = setInterval(() => {
    if (!answered) return socket.terminate();
    answered = false;
    socket.ping();
  }, KEEPALIVE_MS);
  return () => clearInterval(timer);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
