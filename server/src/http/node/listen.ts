import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { ConnectionLimits } from "@tierkeep/schema/domain/limits";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Logger } from "pino";
import type { Call } from "../call.ts";
import { GRAPHQL_PATH } from "../graphql/graphql.ts";
import type { Handler } from "../handler.ts";
import { TrustedProxies } from "../limits/client-address.ts";
import { shareConnections } from "../limits/connection-share.ts";
import { addressOwner } from "../limits/owner.ts";
import { HttpRefused, methodRefused, problemResponse } from "../problem.ts";
import { webSockets } from "../websocket/websocket.ts";
import { FORBIDDEN_METHODS, headersOf, requestOf } from "./node-request.ts";
import { send } from "./node-response.ts";
import { oversizedHeader } from "./oversized-header.ts";
import { refuseRaw } from "./raw-refusal.ts";

/** Enough for 64 KiB of metadata as base64url in a header, and the other headers. */
const MAX_HEADER_BYTES = 128 * 1024;

/** Longest interval between checks for connections whose headers are late, in ms. */
const MAX_CHECK_INTERVAL_MS = 5_000;

export interface ListenOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly maxInlineBytes: number;
  readonly limits: ConnectionLimits;
  readonly log: Logger;
}

/**
 * A listening socket and its connections.
 *
 * States: listening; stopping (no new connections, requests in progress continue); closed (no connections).
 * `stop` moves it to stopping. `close` stops it, and closes it when no request is in progress or at its
 * deadline.
 */
export interface Listener {
  /** http://HOST:PORT/graphql */
  readonly url: string;
  readonly port: number;
  /** Accepts no more connections and completes every subscription. Requests in progress continue. */
  stop(): void;
  /**
   * Stops, waits until `deadline` (ms since the epoch) for requests in progress, then closes every
   * connection.
   */
  close(deadline: number): Promise<void>;
}

/** Binds the handler to a socket. @throws the system's error (EADDRINUSE, EACCES …) if it cannot listen */
export async function listen(handler: Handler, options: ListenOptions): Promise<Listener> {
  const { host, port, log } = options;
  const { maxConnections, maxConnectionsPerAddress, requestTimeoutMs, idleTimeoutMs } = options.limits;
  const proxies = new TrustedProxies(options.limits.trustedProxies);
  const sockets = webSockets(handler, openCall, options.maxInlineBytes, log);
  const inProgress = new Set<ServerResponse>();
  let origin = "";
  let stopped = false;

  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    // Reported below with a message of this server.
    requireHostHeader: false,
    // An upload may take any time as long as it makes progress; node-request.ts checks that.
    requestTimeout: 0,
    headersTimeout: requestTimeoutMs,
    keepAliveTimeout: idleTimeoutMs,
    connectionsCheckingInterval: Math.min(requestTimeoutMs, MAX_CHECK_INTERVAL_MS),
    // Some clients offer HTTP/2 with every first request. Ignoring the offer declines it.
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
  });

  server.maxConnections = maxConnections;
  shareConnections(server, maxConnectionsPerAddress, proxies);

  function openCall(message: IncomingMessage, operation: string): Call {
    const { remoteAddress } = message.socket;
    const address = remoteAddress === undefined ? undefined : proxies.addressOf(remoteAddress, message);
    return handler.openCall(headersOf(message), operation, address);
  }

  /**
   * Runs `work` at the turn of the client's address: the events of many connections can arrive within one pass
   * of the event loop, and handling all of them in it would delay everyone else.
   */
  async function atTurn(socket: Duplex, work: () => void): Promise<void> {
    const turn = handler.step(addressOwner((socket as Socket).remoteAddress ?? null));
    if (turn !== null) {
      socket.on("error", () => {});
      await turn;
    }
    work();
  }

  async function answer(
    message: IncomingMessage,
    response: ServerResponse,
    awaitsContinue: boolean,
  ): Promise<void> {
    const call = openCall(message, message.method ?? "");
    call.hasSocket = true;
    inProgress.add(response);
    const closed = new Promise<void>((resolve) => response.once("close", resolve));
    void closed.then(() => inProgress.delete(response));
    message.on("error", () => {});
    response.on("error", () => {});
    const turn = () => handler.step(call.owner);
    try {
      await turn();
      if (response.destroyed) {
        call.status = 499;
        return call.end();
      }
      if (stopped) response.setHeader("connection", "close");
      const answer = await respond(message, response, awaitsContinue, call);
      // Work for a disconnected client uses memory until it ends.
      void closed.then(() => call.end());
      await send(answer, message, response, { idleTimeoutMs, charge: call.charge, turn });
    } catch (error) {
      log.error({ err: error }, "a response could not be sent");
      response.destroy();
    }
  }

  function respond(
    message: IncomingMessage,
    response: ServerResponse,
    awaitsContinue: boolean,
    call: Call,
  ): Response | Promise<Response> {
    const problem = problemOfRequest(message);
    const onBodyBytes = (bytes: number) => call.onBodyBytes(bytes);
    const request =
      problem === null
        ? requestOf(message, response, origin, awaitsContinue, requestTimeoutMs, onBodyBytes)
        : null;
    if (request !== null) return handler.respond(request, message.url ?? "/", call);
    const refused = problemResponse(problem ?? NO_TARGET, call);
    handler.allowPage(refused.headers, headersOf(message), message.url ?? "/");
    refused.headers.set("x-request-id", call.requestId);
    refused.headers.set("connection", "close");
    return refused;
  }

  /** Responds to input that the HTTP parser rejects, which never becomes a request. */
  function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
    // It was refused already, but the client continues to send.
    if (socket.writableEnded) return;
    // A second response in the middle of another one would be read as part of it.
    const answering = [...inProgress].some((response) => response.socket === socket && response.headersSent);
    if (error.code === "ECONNRESET" || !socket.writable || answering) return void socket.destroy();
    const call = handler.openCall(new Headers(), "malformed request", socket.remoteAddress);
    refuseRaw(socket, malformed(error.code), call);
  }

  server.on("request", (message, response) => void answer(message, response, false));
  server.on("checkContinue", (message, response) => void answer(message, response, true));
  // Without these listeners, Node would respond itself or not at all.
  server.on("checkExpectation", (message, response) => void answer(message, response, false));
  server.on("connect", (message: IncomingMessage, socket: Duplex) =>
    atTurn(socket, () => refuseRaw(socket, methodRefused("CONNECT", METHODS), openCall(message, "CONNECT"))),
  );
  server.on("upgrade", (message, socket, head) =>
    atTurn(socket, () => sockets.upgrade(message, socket, head)),
  );
  server.on("clientError", (error, socket) => atTurn(socket, () => refuseMalformed(error, socket as Socket)));

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  server.on("error", (error) => log.error({ err: error }, "the listening socket failed"));
  const bound = (server.address() as AddressInfo).port;
  origin = `http://${host.includes(":") ? `[${host}]` : host}:${bound}`;

  function stop(): void {
    if (stopped) return;
    stopped = true;
    server.close();
    handler.endSubscriptions();
  }

  return {
    url: `${origin}${GRAPHQL_PATH}`,
    port: bound,
    stop,
    async close(deadline) {
      stop();
      await sockets.close();
      while (inProgress.size > 0 && Date.now() < deadline)
        await closeOfOne(inProgress, deadline - Date.now());
      server.closeAllConnections();
    },
  };
}

/** Resolves when one of the responses has closed, or after `ms`. */
async function closeOfOne(responses: ReadonlySet<ServerResponse>, ms: number): Promise<void> {
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, ms);
  for (const response of responses) response.once("close", over.resolve);
  await over.promise;
  clearTimeout(timer);
  for (const response of responses) response.off("close", over.resolve);
}

const METHODS = "GET, HEAD, POST, PUT, OPTIONS";

const NO_TARGET = new Refused("BAD_USER_INPUT", "The request target must be a path or an http:// URL.");

/** Returns why a request cannot be passed to the handler. Null: it can. */
function problemOfRequest(message: IncomingMessage): Refused | null {
  const { method = "", httpVersion, headers } = message;
  const oversized = oversizedHeader(message.rawHeaders);
  if (oversized !== null) return oversized;
  const coding = headers["transfer-encoding"];
  if (coding !== undefined && coding.trim().toLowerCase() !== "chunked") {
    const refused = new Refused(
      "BAD_USER_INPUT",
      "This server supports only the chunked transfer coding. Send the body without compression.",
      { argument: "Transfer-Encoding" },
    );
    return new HttpRefused(refused, { status: 501 });
  }
  if (FORBIDDEN_METHODS.has(method)) return methodRefused(method, METHODS);
  if (httpVersion !== "1.1") return null;
  if (headers.host === undefined) {
    return new Refused("BAD_USER_INPUT", "The request has no Host header.");
  }
  if (headers.expect === undefined || /\b100-continue\b/i.test(headers.expect)) return null;
  const refused = new Refused(
    "BAD_USER_INPUT",
    "The request's Expect header is not supported. Use 100-continue.",
  );
  return new HttpRefused(refused, { status: 417 });
}

/** Returns the refusal of input that the HTTP parser rejected, with the parser's own status. */
function malformed(code: string | undefined): HttpRefused {
  switch (code) {
    case "HPE_HEADER_OVERFLOW": {
      const message = `The request's headers are larger than ${MAX_HEADER_BYTES} bytes.`;
      return new HttpRefused(new Refused("CONTENT_TOO_LARGE", message), { status: 431 });
    }
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new HttpRefused(new Refused("BAD_USER_INPUT", "The request's headers did not arrive in time."), {
        status: 408,
      });
    default:
      return new HttpRefused(new Refused("BAD_USER_INPUT", "This is not an HTTP request."), { status: 400 });
  }
}
