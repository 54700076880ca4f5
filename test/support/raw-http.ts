import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from "node:http";
import { connect } from "node:net";

export interface RawResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** False: the connection broke before the body was complete. */
  readonly complete: boolean;
  /** True: the server requested the body with 100 Continue. */
  readonly continued: boolean;
}

export interface RawRequest {
  readonly method?: string;
  /** Sent unchanged, without normalising, decoding or encoding. */
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array;
  /** Called when the server requests the body, before it is sent. */
  readonly onContinue?: () => void;
}

/**
 * Sends one HTTP/1.1 request on a new connection. With `Expect: 100-continue` it sends the body only on
 * request.
 */
export function sendRaw(server: { readonly origin: string }, raw: RawRequest): Promise<RawResponse> {
  const { hostname, port } = new URL(server.origin);
  return new Promise((resolve, reject) => {
    let continued = false;
    const outgoing = request({
      host: hostname,
      port,
      method: raw.method ?? "GET",
      path: raw.path,
      headers: raw.headers,
      agent: false,
    });
    outgoing.on("error", reject);
    outgoing.on("response", (response) => {
      const chunks: Buffer[] = [];
      const finish = () => {
        outgoing.destroy();
        const { statusCode = 0, headers, complete } = response;
        resolve({ status: statusCode, headers, body: Buffer.concat(chunks), complete, continued });
      };
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      // A broken connection emits "error". "close" follows it, and also follows a complete response.
      response.on("error", () => {});
      response.on("close", finish);
    });
    if (raw.headers?.expect === "100-continue") {
      outgoing.on("continue", () => {
        continued = true;
        raw.onContinue?.();
        outgoing.end(raw.body);
      });
      outgoing.flushHeaders();
    } else {
      outgoing.end(raw.body);
    }
  });
}

/** Sends the start of a request unchanged, then resets the connection. Does not read the response. */
export function sendAndHangUp(
  server: { readonly origin: string },
  start: string | Uint8Array,
): Promise<void> {
  const { hostname, port } = new URL(server.origin);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    socket.on("error", reject);
    socket.on("close", () => resolve());
    socket.on("connect", () => socket.write(start, () => socket.resetAndDestroy()));
  });
}

/** Returns the problem+json body of an error response. @throws if the response has another content type */
export function problemOf(response: RawResponse): {
  readonly code: string;
  readonly [fact: string]: unknown;
} {
  if (!response.headers["content-type"]?.startsWith("application/problem+json")) {
    throw new Error(`no problem+json: ${response.status} ${response.headers["content-type"]}`);
  }
  return JSON.parse(response.body.toString());
}
