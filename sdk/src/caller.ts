import { type Deadline, deadline } from "./deadline.ts";
import type { RequestOptions } from "./document.ts";

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
  /** Calls `fetch` once, with the client's headers. */
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

/** A bearer token, or what gives the one that is valid now: it is asked before each request. */
export type Token = string | (() => string | Promise<string>);

export function callerOf({ endpoint, fetch, headers, token, signal, retries }: CallerOptions): Caller {
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
    retries,
    authorization,
    deadline: (options, defaultTimeoutMs = Number.POSITIVE_INFINITY) =>
      deadline([signal, options.signal], options.timeoutMs ?? defaultTimeoutMs),
    async fetch(url, { method, headers, body }, options, limit) {
      const all = new Headers(shared);
      for (const [name, value] of headersOf(headers)) all.set(name, value);
      for (const [name, value] of headersOf(options.headers)) all.set(name, value);
      const credentials = await authorization();
      if (credentials !== undefined && !all.has("authorization")) all.set("authorization", credentials);
      return await limit.race(
        fetch(url, {
          method,
          headers: all,
          signal: limit.signal,
          ...(body === undefined ? {} : { body }),
          // A streamed body needs saying that the answer is not read before it is sent.
          ...(body instanceof ReadableStream ? { duplex: "half" } : {}),
        }),
      );
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
