import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Call } from "./call.ts";
import { ANONYMOUS } from "./credentials.ts";
import { type Hold, UNCOUNTED_BYTES } from "./held-bytes.ts";

/** A control frame of a client's has so much beside its data. */
const CONTROL_BYTES = 6;

/** How long the other end may take to read why it is closed. */
const LINGER_MS = 500;

/**
 * Counts what a WebSocket makes the server hold, from the first byte of a message on, and closes it where that is too
 * much; sooner where nobody has been recognised on it.
 *
 * @returns what the message holds that has just come; it is to be released when that is over
 */
export function heldMessages(socket: WebSocket, stream: Duplex, call: Call, newHold: () => Hold): () => Hold {
  let hold = newHold();
  let fromAnybody = 0;

  function count({ length }: Buffer): void {
    try {
      if (call.credentials === ANONYMOUS) fromAnybody += length;
      if (call.credentials === ANONYMOUS && fromAnybody > UNCOUNTED_BYTES) {
        shut(1009, "Too much before connection_init");
      } else hold.add(length);
    } catch {
      call.code = "RATE_LIMITED";
      shut(1013, "Too many large messages. Try again later");
    }
  }
  function shut(code: number, reason: string): void {
    stream.off("data", count);
    socket.close(code, reason);
    // What still comes would be held as well.
    socket.pause();
    setTimeout(() => socket.terminate(), LINGER_MS).unref();
  }
  const discount = ({ length }: Buffer) => hold.add(-length - CONTROL_BYTES);

  // First of all: it is the library that then joins it to what came before.
  stream.prependListener("data", count);
  socket.on("ping", discount);
  socket.on("pong", discount);
  socket.once("close", () => hold.release());
  return () => {
    const whole = hold;
    hold = newHold();
    return whole;
  };
}
