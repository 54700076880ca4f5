import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";

/** A connection on which bytes are sent as they are. */
export interface RawSocket extends Disposable {
  send(bytes: string | Uint8Array): void;
  /** All that has come back so far. */
  readonly received: Buffer;
  /** Resolves when the connection is gone, whoever ended it. */
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
    get received() {
      return Buffer.concat(chunks);
    },
    closed,
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** The start of a WebSocket, as a client sends it. */
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
  /** Of a client's frame, as the protocol demands. Default: true. */
  readonly masked?: boolean;
  /** Bits that only an extension may set. */
  readonly reserved?: number;
  /** What the frame says of its length, where it lies. */
  readonly claims?: number;
}

/** A frame's bytes, right or wrong. The mask is all zero, so that the payload is readable. */
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

/** The frames in what a server has sent after its handshake; the last one may be cut short, and is left out. */
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

/** The code with which a server closed a WebSocket; null: it did not say. */
export function closeCodeIn(received: Buffer): number | null {
  const close = framesIn(received).find(({ opcode }) => opcode === 8);
  return close !== undefined && close.payload.length >= 2 ? close.payload.readUInt16BE(0) : null;
}
