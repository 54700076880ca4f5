import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setImmediate as immediate } from "node:timers/promises";
import type { CallCharge } from "../limits/memory-budget.ts";
import { SECURITY_HEADERS } from "../security-headers.ts";
import { sharedBodyOf } from "../shared-body.ts";

/** How much of an answer is given to the socket at once: sending it to many clients must not hold up the event loop. */
const PIECE_BYTES = 64 * 1024;

/** How long a client may go on sending a body that nobody reads before it finds the connection closed. */
const LINGER_MS = 2000;

/**
 * Sends fetch's Response: as fast as the socket takes it and no faster. A body that fails half-way cuts the connection,
 * so that nobody takes what came for all of it; so does a client that has taken nothing of it for `idleTimeoutMs`.
 *
 * @param charge what the answer uses is charged here until the call ends
 */
export async function send(
  response: Response,
  message: IncomingMessage,
  to: ServerResponse,
  idleTimeoutMs: number,
  charge: CallCharge,
): Promise<void> {
  if (to.destroyed) {
    await response.body?.cancel().catch(() => {});
    return;
  }
  if (!message.complete) refuseRest(message, to);
  to.setTimeout(idleTimeoutMs);
  to.statusCode = response.status;
  for (const name in SECURITY_HEADERS) to.setHeader(name, SECURITY_HEADERS[name] as string);
  to.setHeaders(response.headers);
  const shared = sharedBodyOf(response);
  if (response.body === null) {
    to.end();
  } else if (shared !== undefined) {
    await sendBytes(shared, to);
  } else if (isStream(response)) {
    await pump(response.body.getReader(), to);
  } else {
    const bytes = await response.bytes();
    charge.hold(bytes.byteLength);
    await sendBytes(bytes, to);
  }
}

/** Sends bytes piece by piece, each when the socket has taken the one before. */
async function sendBytes(bytes: Uint8Array, to: ServerResponse): Promise<void> {
  to.setHeader("content-length", bytes.byteLength);
  const closed = new Promise<void>((resolve) => to.once("close", resolve));
  let at = 0;
  for (; bytes.byteLength - at > PIECE_BYTES; at += PIECE_BYTES) {
    const isFull = !to.write(bytes.subarray(at, at + PIECE_BYTES));
    if (isFull) await Promise.race([drained(to), closed]);
    // The system may have taken the piece at once: the next one waits until the event loop has served other clients.
    await immediate();
    if (to.destroyed) return;
  }
  to.end(bytes.subarray(at));
}

/** Whether the body comes bit by bit; all others are whole already. */
function isStream({ headers }: Response): boolean {
  return (
    headers.has("content-length") || (headers.get("content-type")?.startsWith("text/event-stream") ?? false)
  );
}

async function pump(reader: ReadableStreamDefaultReader<Uint8Array>, to: ServerResponse): Promise<void> {
  const closed = Promise.withResolvers<void>();
  const onClose = () => {
    closed.resolve();
    reader.cancel().catch(() => {});
  };
  to.once("close", onClose);
  try {
    to.flushHeaders();
    for (;;) {
      const { done, value } = await reader.read();
      if (to.destroyed) return;
      if (done) break;
      if (!to.write(value)) await Promise.race([drained(to), closed.promise]);
    }
    to.off("close", onClose);
    to.end();
  } catch {
    to.destroy();
  }
}

function drained(to: ServerResponse): Promise<void> {
  return new Promise((resolve) => to.once("drain", resolve));
}

/**
 * The answer comes before the body was read: the connection has no use after it. It is closed for writing first, and what
 * still comes is thrown away for a while, or the client's system would discard the answer unread on the reset.
 */
function refuseRest(message: IncomingMessage, to: ServerResponse): void {
  to.setHeader("connection", "close");
  const socket: Socket = message.socket;
  socket.destroySoon = () => {
    socket.end();
    socket.resume();
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  };
}
