import { type Deadline, deadline } from "./deadline.ts";
import type { RequestOptions } from "./operation.ts";

/** As `globalThis.fetch`, but only ever called with a URL in text and an init. */
export type Fetch = (url: string, init: RequestInit & { duplex?: "half" }) => Promise<Response>;

/** What every call of one client shares. */
export interface Caller {
  /** The server's /graphql. */
  readonly endpoint: string;
  /** Calls `fetch` with the client's headers, and ends with the client's signal. */
  call(
    url: string,
    init: { readonly method: string; readonly headers: HeadersInit; readonly body?: BodyInit | undefined },
    options: RequestOptions,
    defaultTimeoutMs: number,
  ): Promise<Exchange>;
  authorization(): Promise<string | undefined>;
}

/** An answer, and the deadline that its body is still read under. Whoever gets one ends it with `deadline.clear()`. */
export interface Exchange {
  readonly response: Response;
  readonly deadline: Deadline;
}

export interface CallerOptions {
  readonly endpoint: string;
  readonly fetch: Fetch;
  readonly headers: HeadersInit | undefined;
  readonly token: Token | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A bearer token, or what gives the one that is valid now: it is asked before each request. */
export type Token = string | (() => string | Promise<string>);

export function callerOf({ endpoint, fetch, headers, token, signal }: CallerOptions): Caller {
  const shared = headersOf(headers);

  async function authorization(): Promise<string | undefined> {
    if (token === undefined) return undefined;
    const value = typeof token === "string" ? token : await token();
    // fetch would repeat the token in its own message.
    if (!/^[\x21-\x7e]+$/.test(value)) throw new TypeError("The token holds what a header cannot carry.");
    return `Bearer ${value}`;
  }

  return {
    endpoint,
    authorization,
    async call(url, init, options, defaultTimeoutMs) {
      const all = new Headers(shared);
      for (const [name, value] of headersOf(init.headers)) all.set(name, value);
      for (const [name, value] of headersOf(options.headers)) all.set(name, value);
      const credentials = await authorization();
      if (credentials !== undefined && !all.has("authorization")) all.set("authorization", credentials);
      const streams = init.body instanceof ReadableStream;
      const limit = deadline([signal, options.signal], options.timeoutMs ?? defaultTimeoutMs);
      try {
        const response = await limit.race(
          fetch(url, {
            method: init.method,
            headers: all,
            signal: limit.signal,
            ...(init.body === undefined ? {} : { body: init.body }),
            // A streamed body needs saying that the answer is not read before it is sent.
            ...(streams ? { duplex: "half" } : {}),
          }),
        );
        return { response, deadline: limit };
      } catch (error) {
        limit.clear();
        throw error;
      }
    },
  };
}

/** @throws TypeError that does not repeat the value, which may be a secret */
function headersOf(init: HeadersInit | undefined): Headers {
  try {
    return new Headers(init);
  } catch {
    throw new TypeError("headers: a name or a value cannot be carried by HTTP.");
  }
}
