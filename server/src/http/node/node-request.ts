import type { IncomingMessage, ServerResponse } from "node:http";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { HttpRefused } from "../problem.ts";

/** Methods that fetch's Request refuses to name. */
export const FORBIDDEN_METHODS: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

/** A body may keep the server waiting for a while at a time, and for as long again as it would take at this rate altogether. */
const SLOWEST_BYTES_PER_MS = 1024 / 1_000;

/**
 * A request from the wire as fetch's own. Its body is read from the socket only as it is pulled. Where the client waits
 * to be told to go on (Expect: 100-continue), the first pull tells it. Its signal aborts when the client goes away. A body
 * that keeps the server waiting for longer than `bodyTimeoutMs` fails with a refusal.
 *
 * @param onBodyBytes is called as the body's bytes arrive; an error that it throws fails the body
 * @returns null for a target that is no path
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
  // In absolute form it is the target that names the host.
  if (!target.startsWith("/") && target !== "*") headers.set("host", url.host);

  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort();
  });
  const method = message.method ?? "GET";
  const body = hasBody(message)
    ? bodyOf(message, () => awaitsContinue && response.writeContinue(), bodyTimeoutMs, onBodyBytes)
    : null;
  const url_ = url.href.replace(/#.*$/, "");
  return method === "GET" || method === "HEAD"
    ? new Request(url_, { method, headers, signal: gone.signal })
    : new Request(url_, { method, headers, signal: gone.signal, body, duplex: "half" } as RequestInit);
}

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
  // The socket is needed for the answer, whatever becomes of the body.
  const iterator = message.iterator({ destroyOnReturn: false });
  let begun = false;
  // Only what the client lets us wait for counts: a store that is slow to take the bytes does not.
  let leftMs = timeoutMs;
  return new ReadableStream(
    {
      async pull(controller) {
        if (!begun) onFirstPull();
        begun = true;
        const since = performance.now();
        const timer = setTimeout(() => controller.error(tooSlow()), Math.max(0, Math.min(leftMs, timeoutMs)));
        const { done, value } = await iterator
          .next()
          .catch(brokenOff)
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
    // Nothing is read ahead: what nobody wants stays with the client.
    { highWaterMark: 0 },
  );
}

/** A body breaks off when its client goes away, and may say so before anything else does. Nobody has failed then. */
function brokenOff(cause: unknown): never {
  throw Object.assign(new DOMException("The client went away.", "AbortError"), { cause });
}

function tooSlow(): HttpRefused {
  const refused = new Refused("BAD_USER_INPUT", "The request's body did not come in time. Send it again.");
  return new HttpRefused(refused, { status: 408 });
}
