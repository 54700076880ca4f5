import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Refused } from "@tierkeep/schema/domain/refusals";
import type { Call } from "../call.ts";
import { problemOf } from "../problem.ts";
import { SECURITY_HEADERS } from "../security-headers.ts";

/** How long the peer may continue to send before the connection is closed, in ms. */
const LINGER_MS = 2_000;

/**
 * Refuses input that never became a request of the handler, with the same body and headers as the handler,
 * and ends the call.
 */
export function refuseRaw(socket: Duplex, refused: Refused, call: Call): void {
  const { status, headers, body } = problemOf(refused, call);
  const lines = Object.entries({
    ...SECURITY_HEADERS,
    ...headers,
    "x-request-id": call.requestId,
    "content-length": String(Buffer.byteLength(body)),
    connection: "close",
  }).map(([name, value]) => `${name}: ${value}`);
  socket.on("error", () => {});
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, "", body].join("\r\n"));
  // No other code handles this socket, and the peer may never close it.
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
  call.end();
}
