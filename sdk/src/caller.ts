import { type Deadline, deadline } from "./deadline.ts";
import type { RequestOptions } from "./document.ts";

/** What `new Headers` takes. Node's own types have no global name for it. */
export type HeadersInit = NonNullable<ConstructorParameters<typeof Headers>[0]>;

/** As `globalThis.fetch`, but only ever called with a URL in text and an init. */
export type Fetch = (url: string, init: RequestInit & { duplex?: "half" }) => Promise<Response>;

/** What every call of one client shares. */
export interface Caller {
  /** The server's /graphql. */
  readonly endpoint: string;
  /** How often a call that may be repeated is, unless the call says otherwise. */
  readonly retries: number;
  /** What ends a call: its own signal, the client's, and its clock. Whoever gets one ends it with `clear()`. */
  deadline(options: RequestOptions, defaultTimeoutMs?: number): Deadline;
  /** True where the token is asked for, so that another one may come after one that is valid no longer. */
  readonly renews: boolean;
  /** Calls `fetch` once, with the client's headers; once more with the next token where the first one is refused. */
  fetch(
    url: string,
    init: { readonly method: string; readonly headers: HeadersInit; readonly body?: BodyInit | undefined },
    options: RequestOptions,
    limit: Deadline,
  ): Promise<Response>;
  authorization(): Promise<string | undefined>;
}

export interface CallerOptions {
  readonly endpoint: string;
  readonly fetch: Fetch;
  readonly headers: HeadersInit | undefined;
  readonly token: Token | undefined;
  readonly signal: AbortSignal | undefined;
  readonly retries: number;
}

/**
 * A bearer token, or what gives the one that is valid now: it is asked before each request and each connection, and once
 * more where the server refuses that one.
 */
export type Token = string | (() => string | Promise<string>);

export function callerOf({ endpoint, fetch, headers, token, signal, retries }: CallerOptions): Caller {
  async function authorization(): Promise<string | undefined> {
    const value = typeof token === "function" ? await token() : token;
    return value === undefined ? value : `Bearer ${value}`;
  }

  return {
    endpoint,
    retries,
    renews: typeof token === "function",
    authorization,
    deadline: (options, defaultTimeoutMs = Number.POSITIVE_INFINITY) =>
      deadline([signal, options.signal], options.timeoutMs ?? defaultTimeoutMs),
    async fetch(url, { method, headers: own, body }, options, limit) {
      const streams = body instanceof ReadableStream;
      const send = (credentials: string | undefined) => {
        const init = {
          method,
          headers: merged([
            credentials === undefined ? {} : { authorization: credentials },
            headers,
            own,
            options.headers,
          ]),
          signal: limit.signal,
          ...(body !== undefined && { body }),
          // A streamed body needs saying that the answer is not read before it is sent.
          ...(streams && { duplex: "half" as const }),
        };
        return limit.race(fetch(url, init));
      };
      const credentials = await authorization();
      const response = await send(credentials);
      // What has been streamed is gone: whoever can make it again repeats the call.
      if (response.status !== 401 || streams) return response;
      const next = await authorization();
      if (next === credentials) return response;
      response.body?.cancel().catch(() => {});
      return await send(next);
    },
  };
}

/** Later ones win. @throws TypeError that does not repeat the values, as Headers would: they may be secret */
function merged(all: readonly (HeadersInit | undefined)[]): Headers {
  try {
    const headers = new Headers();
    for (const some of all) for (const [name, value] of new Headers(some)) headers.set(name, value);
    return headers;
  } catch {
    throw new TypeError("HTTP cannot carry the token, or the name or the value of a header.");
  }
}
