import { callerOf, type Fetch, type HeadersInit, type Token } from "./caller.ts";
import type { RequestOptions, Send } from "./document.ts";
import type { Download, DownloadOptions } from "./download.ts";
import { type ArtifactKey, endpointOf } from "./endpoint.ts";
import type { EventTransport, FollowOptions } from "./event-connections.ts";
import { type EventStream, followEvents } from "./events.ts";
import type { TierkeepMethods } from "./generated/methods.ts";
import { methodsOver } from "./methods.ts";
import { sendOver } from "./send.ts";
import type { Uploaded, UploadOptions } from "./upload.ts";
import type { UploadContent } from "./upload-body.ts";

export interface TierkeepOptions {
  /** The server, e.g. "http://127.0.0.1:4000", or its GraphQL endpoint, e.g. "http://127.0.0.1:4000/graphql". */
  readonly url: string | URL;
  /** Bearer token, sent as `Authorization: Bearer …` with every request. */
  readonly token?: Token | undefined;
  /** Headers of every request over fetch. */
  readonly headers?: HeadersInit | undefined;
  /** The fetch function. Default: the runtime's. */
  readonly fetch?: Fetch | undefined;
  /**
   * Timeout of a query or a mutation in ms, retries included; then it fails with TimeoutError. Default:
   * 90,000, more than the maximum `waitSeconds` of 60 s. Uploads, downloads and events have no default
   * timeout.
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Number of retries, with growing delays, after a failed connection or a temporary refusal (RATE_LIMITED,
   * UNAVAILABLE, TIER_UNAVAILABLE). Only calls that are safe to retry are retried. Default: 3.
   */
  readonly retries?: number | undefined;
  /** Aborts every call of this client. */
  readonly signal?: AbortSignal | undefined;
  /** The transport of events. Default: "sse". */
  readonly transport?: EventTransport | undefined;
  /**
   * The WebSocket class for the transport "ws", for runtimes without one (before Node 22: the class of the
   * package ws).
   */
  readonly webSocket?: unknown;
}

/**
 * A client of one server.
 *
 * Every method except lifecycleEvents returns a promise. It rejects with the class of the server's refusal (a
 * TierkeepError), or with ConnectionError, TimeoutError or AbortError.
 *
 * The client sends a request only when a method is called; a list sends one only when it is awaited or
 * iterated. Queries, downloads, mutations and uploads are retried. A retried mutation or upload has an
 * idempotency key, so it takes effect only once. An upload from a stream is never retried.
 */
export interface Tierkeep extends TierkeepMethods {
  /**
   * Sends a query or mutation: text, a document that this package exports, or your own typed document.
   * Returns its data. A mutation is retried only if its `input` has an idempotencyKey.
   */
  readonly request: Send;
  /**
   * Returns lifecycle events as they happen: `for await (const event of tierkeep.lifecycleEvents())`. The
   * stream does not end. After a disconnect it reconnects and resumes after the last event. It starts after
   * the newest event at the time of the call, or after `after`.
   */
  lifecycleEvents(options?: FollowOptions): EventStream;
  /**
   * Writes an artifact of any size by streaming. For small content, writeArtifact does the same in a GraphQL
   * mutation.
   *
   * @throws TypeError for invalid content
   */
  upload(key: ArtifactKey, content: UploadContent, options?: UploadOptions): Promise<Uploaded>;
  /** Returns true if an artifact with this key exists and the caller may see it. */
  exists(key: ArtifactKey, options?: RequestOptions): Promise<boolean>;
  /**
   * Reads an artifact of any size by streaming, and verifies its checksum.
   *
   * @throws ArtifactNotFoundError
   */
  download(key: ArtifactKey, options?: DownloadOptions): Promise<Download>;
}

const DEFAULT_TIMEOUT_MS = 90_000;
const DEFAULT_RETRIES = 3;

/**
 * Returns a client of one server. Sends no request. @throws TypeError for an invalid url, or for one that
 * contains credentials
 */
export function createTierkeep(options: TierkeepOptions): Tierkeep {
  const caller = callerOf({
    endpoint: endpointOf(options.url),
    // A browser's fetch throws if it is called as a method of another object.
    fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
    headers: options.headers,
    token: options.token,
    signal: options.signal,
    retries: options.retries ?? DEFAULT_RETRIES,
  });
  const send = sendOver(caller, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const methods = methodsOver(caller, send);
  return {
    ...methods,
    request: send,
    lifecycleEvents(follow = {}) {
      const transport = follow.transport ?? options.transport ?? "sse";
      const route = { caller, transport, webSocket: options.webSocket };
      return followEvents(route, (signal) => methods.lifecycleEventCursor({ signal }), follow);
    },
    exists: async ({ tenantId, workflowId, artifactId }, given) =>
      (await methods.artifact({ tenantId, workflowId, artifactId }, given)) !== null,
    // Loaded by the first call, like the events, so that clients without transfers do not load this code.
    async upload(key, content, given = {}) {
      const { upload } = await import("./upload.ts");
      return await upload(caller, key, content, given);
    },
    async download(key, given = {}) {
      const { download } = await import("./download.ts");
      return await download(caller, key, given);
    },
  };
}
