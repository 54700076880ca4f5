import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { ANONYMOUS } from "../auth/credentials.ts";
import type { Call } from "../call.ts";
import { MAX_ANONYMOUS_BYTES } from "./limits.ts";

/** Bytes of a client's control frame in addition to its data. */
const CONTROL_BYTES = 6;

/** How long the server waits for a client to read the close reason, in ms. */
const LINGER_MS = 500;

/**
 * Charges the bytes of a WebSocket's messages to its call as they arrive. Closes the socket if they are
 * refused, or if there are too many before authentication.
 *
 * @returns a function to call when a message is complete; it returns a function that releases the message's
 * bytes
 */
export function chargeMessages(socket: WebSocket, stream: Duplex, call: Call): () => () => void {
  /** Bytes of the message that is arriving. */
  let arrived = 0;
  let anonymousBytes = 0;

  function count({ length }: Buffer): void {
    if (call.credentials === ANONYMOUS) anonymousBytes += length;
    if (call.credentials === ANONYMOUS && anonymousBytes > MAX_ANONYMOUS_BYTES) {
      shut(1009, "Too many bytes before connection_init");
      return;
    }
    try {
      call.charge.add(length);
      arrived += length;
    } catch {
      call.code = "RATE_LIMITED";
      shut(1013, "Too many large messages. Try again later");
    }
  }
  function shut(code: number, reason: string): void {
    stream.off("data", count);
    socket.close(code, reason);
    // Stop reading, because more data would use memory too.
    socket.pause();
    setTimeout(() => socket.terminate(), LINGER_MS).unref();
  }
  function discount({ length }: Buffer): void {
    const bytes = Math.min(arrived, length + CONTROL_BYTES);
    arrived -= bytes;
    call.charge.add(-bytes);
  }

  // Must run before ws's listener, which joins these bytes with earlier ones.
  stream.prependListener("data", count);
  socket.on("ping", discount);
  socket.on("pong", discount);
  return () => {
    const messageBytes = arrived;
    arrived = 0;
    return () => call.charge.add(-messageBytes);
  };
}
