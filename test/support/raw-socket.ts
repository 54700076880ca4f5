import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";

/** A TCP connection that sends bytes unchanged. */
export interface RawSocket extends Disposable {
  send(bytes: string | Uint8Array): void;
  /** Closes the sending side of the connection. */
  finish(): void;
  /** All bytes received so far. */
  readonly received: Buffer;
  /** Resolves when either side has closed the connection. */
  readonly closed: Promise<void>;
}

export function rawSocket(server: { readonly origin: string }): RawSocket {
  const { hostname, port } = new URL(server.origin);
  const socket: Socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  return {
    send: (bytes) => void socket.write(bytes),
    finish: () => void socket.end(),
    get received() {
      return Buffer.concat(chunks);
    },
    closed,
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** Returns the handshake request of a WebSocket client. */
export function webSocketHandshake(headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries({
    host: "localhost",
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-version": "13",
    "sec-websocket-protocol": "graphql-transport-ws",
    ...headers,
  }).map(([name, value]) => `${name}: ${value}`);
  return `GET /graphql HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}

export interface Frame {
  readonly opcode?: number;
  readonly payload?: string | Uint8Array;
  readonly fin?: boolean;
  /** The protocol requires masking of client frames. Default: true. */
  readonly masked?: boolean;
  /** Reserved bits, which only extensions may set. */
  readonly reserved?: number;
  /** The length in the header, if it differs from the payload's length. */
  readonly claims?: number;
}

/** Encodes a valid or invalid frame. The mask is all zeros, so the payload stays readable. */
export function frameOf(frame: Frame): Buffer {
  const { opcode = 1, fin = true, masked = true, reserved = 0 } = frame;
  const payload = Buffer.from(frame.payload ?? "");
  const length = frame.claims ?? payload.length;
  const head = [(fin ? 0x80 : 0) | (reserved << 4) | opcode];
  const mask = masked ? 0x80 : 0;
  if (length < 126) head.push(mask | length);
  else if (length < 65_536) head.push(mask | 126, length >> 8, length & 255);
  else {
    const long = Buffer.alloc(8);
    long.writeBigUInt64BE(BigInt(length));
    head.push(mask | 127, ...long);
  }
  return Buffer.concat([Buffer.from(head), masked ? Buffer.alloc(4) : Buffer.alloc(0), payload]);
}

/** Returns the frames after the server's handshake, without an incomplete last frame. */
export function framesIn(received: Buffer): { readonly opcode: number; readonly payload: Buffer }[] {
  const start = received.indexOf("\r\n\r\n");
  const frames: { opcode: number; payload: Buffer }[] = [];
  for (let at = start < 0 ? received.length : start + 4; at + 2 <= received.length; ) {
    const opcode = (received[at] as number) & 15;
    let length = (received[at + 1] as number) & 127;
    at += 2;
    if (length === 126) {
      length = received.readUInt16BE(at);
      at += 2;
    } else if (length === 127) {
      length = Number(received.readBigUInt64BE(at));
      at += 8;
    }
    if (at + length > received.length) break;
    frames.push({ opcode, payload: received.subarray(at, at + length) });
    at += length;
  }
  return frames;
}

/** Returns the close code that the server sent, or null if it sent none. */
export function closeCodeIn(received: Buffer): number | null {
  const close = framesIn(received).find(({ opcode }) => opcode === 8);
  return close !== undefined && close.payload.length >= 2 ? close.payload.readUInt16BE(0) : null;
}
