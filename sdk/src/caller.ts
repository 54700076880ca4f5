import { type Deadline, deadline } from "./deadline.ts";
import type { RequestOptions } from "./document.ts";

/** The argument of `new Headers`. Node's types have no global name for it. */
export type HeadersInit = NonNullable<ConstructorParameters<typeof Headers>[0]>;

/** A function like `globalThis.fetch`. The SDK always calls it with a URL as text and an init. */
export type Fetch = (url: string, init: RequestInit & { duplex?: "half" }) => Promise<Response>;

/** The parts that all calls of a client share. */
export interface Caller {
  /** The server's /graphql. */
  readonly endpoint: string;
  /** Default number of retries of a call that is safe to retry. */
  readonly retries: number;
  /**
   * Returns the deadline of a call: its signal, the client's signal, and its timeout in ms. The caller must
   * `clear()` it.
   */
  deadline(options: RequestOptions, defaultTimeoutMs?: number): Deadline;
  /** True if the token is a function, which can return a new token when the old one expires. */
  readonly renews: boolean;
  /**
   * Calls `fetch` with the client's headers. If the server rejects the token, gets the next token and calls
   * it once more.
   */
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
 * A bearer token, or a function that returns the current one. The function is called before each request and
 * each connection, and once more if the server rejects its token.
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
          // fetch requires `duplex: "half"` for a streamed body.
          ...(streams && { duplex: "half" as const }),
        };
        return limit.race(fetch(url, init));
      };
      const credentials = await authorization();
      const response = await send(credentials);
      // A stream cannot be read again. The caller repeats the call if it can create the stream again.
      if (response.status !== 401 || streams) return response;
      const next = await authorization();
      if (next === credentials) return response;
      response.body?.cancel().catch(() => {});
      return await send(next);
    },
  };
}

/**
 * Merges headers; later ones override earlier ones. @throws TypeError without the values, which Headers would
 * include: they may be secret
 */
function merged(all: readonly (HeadersInit | undefined)[]): Headers {
  try {
    const headers = new Headers();
    for (const some of all) for (const [name, value] of new Headers(some)) headers.set(name, value);
    return headers;
  } catch {
    throw new TypeError("The token, or the name or value of a header, is not valid in HTTP.");
  }
}
