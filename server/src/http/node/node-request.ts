import type { IncomingMessage, ServerResponse } from "node:http";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { HttpRefused } from "../problem.ts";

/** Methods that fetch's Request rejects. */
export const FORBIDDEN_METHODS: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

/** Minimum average rate of a body. Received bytes extend the time, so a body may take longer than `bodyTimeoutMs`. */
const SLOWEST_BYTES_PER_MS = 1024 / 1_000;

/**
 * Converts a Node request to fetch's Request. Its body is read from the socket only as it is pulled.
 * If the client sent Expect: 100-continue, the first pull sends the continuation. The signal aborts when the
 * client disconnects. A body for which the server waits more than `bodyTimeoutMs` fails with status 408.
 *
 * @param onBodyBytes called as the body's bytes arrive; an error that it throws fails the body
 * @returns null if the target is not a path or URL
 */
export function requestOf(
  message: IncomingMessage,
  response: ServerResponse,
  origin: string,
  awaitsContinue: boolean,
  bodyTimeoutMs: number,
  onBodyBytes: (bytes: number) => void,
): Request | null {
  const headers = headersOf(message);
  const target = message.url ?? "/";
  const url = URL.parse(target.startsWith("/") ? `${origin}${target}` : target === "*" ? origin : target);
  if (url === null || !/^https?:$/.test(url.protocol)) return null;
  // In absolute form, the target names the host.
  if (!target.startsWith("/") && target !== "*") headers.set("host", url.host);

  const disconnected = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) disconnected.abort();
  });
  const method = message.method ?? "GET";
  const body = hasBody(message)
    ? bodyOf(message, () => awaitsContinue && response.writeContinue(), bodyTimeoutMs, onBodyBytes)
    : null;
  const href = url.href.replace(/#.*$/, "");
  return method === "GET" || method === "HEAD"
    ? new Request(href, { method, headers, signal: disconnected.signal })
    : new Request(href, {
        method,
        headers,
        signal: disconnected.signal,
        body,
        duplex: "half",
      } as RequestInit);
}

/** Returns the headers as sent, including repeated ones. */
export function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    headers.append(rawHeaders[at] as string, rawHeaders[at + 1] as string);
  }
  return headers;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

function bodyOf(
  message: IncomingMessage,
  onFirstPull: () => void,
  timeoutMs: number,
  onBytes: (bytes: number) => void,
): ReadableStream<Uint8Array> {
  // The socket is still needed for the response after the body has ended or failed.
  const iterator = message.iterator({ destroyOnReturn: false });
  let isStarted = false;
  // Counts only the time spent waiting for the client, not for a slow store.
  let leftMs = timeoutMs;
  return new ReadableStream(
    {
      async pull(controller) {
        if (!isStarted) onFirstPull();
        isStarted = true;
        const since = performance.now();
        const timer = setTimeout(() => controller.error(tooSlow()), Math.max(0, Math.min(leftMs, timeoutMs)));
        const { done, value } = await iterator
          .next()
          .catch(throwDisconnected)
          .finally(() => clearTimeout(timer));
        if (done) return controller.close();
        leftMs += value.byteLength / SLOWEST_BYTES_PER_MS - (performance.now() - since);
        onBytes(value.byteLength);
        controller.enqueue(value);
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    // No read-ahead: unread data stays with the client.
    { highWaterMark: 0 },
  );
}

/** Throws an AbortError, because a body that ends early means that the client disconnected. */
function throwDisconnected(cause: unknown): never {
  throw Object.assign(new DOMException("The client disconnected.", "AbortError"), { cause });
}

function tooSlow(): HttpRefused {
  const refused = new Refused("BAD_USER_INPUT", "The request's body did not arrive in time. Send it again.");
  return new HttpRefused(refused, { status: 408 });
}
