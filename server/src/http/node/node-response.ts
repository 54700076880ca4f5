import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setImmediate as immediate } from "node:timers/promises";
import { sharedBodyOf } from "../cached-body.ts";
import type { CallCharge } from "../limits/memory-budget.ts";
import { SECURITY_HEADERS } from "../security-headers.ts";

/** Largest write to the socket, in bytes, so that a large response does not block the event loop. */
const PIECE_BYTES = 64 * 1024;

/** How long a client may continue to send an unread body before the connection is closed, in ms. */
const LINGER_MS = 2000;

export interface Sending {
  /** How long the client may read nothing, in ms. */
  readonly idleTimeoutMs: number;
  /** Memory budget of the response until the call ends. */
  readonly charge: CallCharge;
  /** Resolves when the client's next piece may be written. Null: now. */
  turn(): Promise<void> | null;
}

/**
 * Sends fetch's Response as fast as the socket accepts it. If the body fails, the connection is cut, so that
 * the client does not treat it as complete. It is also cut if the client has read nothing for
 * `idleTimeoutMs`.
 */
export async function send(
  response: Response,
  message: IncomingMessage,
  to: ServerResponse,
  { idleTimeoutMs, charge, turn }: Sending,
): Promise<void> {
  if (to.destroyed) {
    await response.body?.cancel().catch(() => {});
    return;
  }
  if (!message.complete) closeAfterResponse(message, to);
  to.setTimeout(idleTimeoutMs);
  to.statusCode = response.status;
  for (const name in SECURITY_HEADERS) to.setHeader(name, SECURITY_HEADERS[name] as string);
  to.setHeaders(response.headers);
  const shared = sharedBodyOf(response);
  if (response.body === null) {
    to.end();
  } else if (shared !== undefined) {
    await sendBytes(shared, to, turn);
  } else if (isStream(response)) {
    await pump(response.body.getReader(), to);
  } else {
    const bytes = await response.bytes();
    charge.hold(bytes.byteLength);
    await sendBytes(bytes, to, turn);
  }
}

/** Sends bytes in pieces, each after the socket has accepted the previous one. */
async function sendBytes(bytes: Uint8Array, to: ServerResponse, turn: Sending["turn"]): Promise<void> {
  to.setHeader("content-length", bytes.byteLength);
  const closed = new Promise<void>((resolve) => to.once("close", resolve));
  let at = 0;
  for (; bytes.byteLength - at > PIECE_BYTES; at += PIECE_BYTES) {
    const isFull = !to.write(bytes.subarray(at, at + PIECE_BYTES));
    if (isFull) await Promise.race([drained(to), closed]);
    // The system may accept a piece immediately. The next one waits until the event loop has served other
    // clients, and for its turn: a piece for each of many connections would block the event loop.
    await immediate();
    await turn();
    if (to.destroyed) return;
  }
  to.end(bytes.subarray(at));
}

/** Returns whether the body is streamed. Other bodies are complete in memory. */
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
 * Closes the connection after a response that is sent before the request's body was read. The connection is
 * first closed for writing only, and input is discarded for LINGER_MS: an immediate reset would make the
 * client's system discard the unread response.
 */
function closeAfterResponse(message: IncomingMessage, to: ServerResponse): void {
  to.setHeader("connection", "close");
  const socket: Socket = message.socket;
  socket.destroySoon = () => {
    socket.end();
    socket.resume();
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  };
}
