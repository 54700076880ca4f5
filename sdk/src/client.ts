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
  /** Sent as `Authorization: Bearer …` with every request. */
  readonly token?: Token | undefined;
  /** Sent with every request over fetch. */
  readonly headers?: HeadersInit | undefined;
  /** Default: the runtime's. */
  readonly fetch?: Fetch | undefined;
  /**
   * How long a query or a mutation may take, in ms, before its TimeoutError. Default 90,000: longer than the 60 s that
   * a server may be asked to wait for a job. Transfers and events have none but what they are given.
   */
  readonly timeoutMs?: number | undefined;
  /**
   * How often a call is repeated, after a growing pause, when the connection fails or the server answers that it will
   * pass (RATE_LIMITED, UNAVAILABLE, TIER_UNAVAILABLE). Only what may safely be repeated is. Default 3.
   */
  readonly retries?: number | undefined;
  /** Ends every call of this client. */
  readonly signal?: AbortSignal | undefined;
  /** How events travel. Default "sse". */
  readonly transport?: EventTransport | undefined;
  /** The WebSocket class, for transport "ws" where the runtime has none (Node before 22: that of the package ws). */
  readonly webSocket?: unknown;
}

/**
 * A client of one server. Every method but lifecycleEvents answers with a promise, which fails with the refusal's class
 * (TierkeepError and below), ConnectionError, TimeoutError or AbortError. Nothing is sent before a method is called; a
 * list sends nothing before it is awaited or iterated. What is repeated changes nothing a second time: queries and
 * downloads, and mutations and uploads, which carry an idempotency key. An upload from a stream is never repeated.
 */
export interface Tierkeep extends TierkeepMethods {
  /**
   * Sends any query or mutation of the schema: text, a document that ships here, or one of your own with its types.
   * A mutation is repeated only when its `input` has an idempotencyKey.
   */
  readonly request: Send;
  /**
   * The lifecycle's events as they happen, without end: `for await (const event of tierkeep.lifecycleEvents())`.
   * Reconnects by itself and takes up where it was. Begins after the newest event at the time of the call, or after `after`.
   */
  lifecycleEvents(options?: FollowOptions): EventStream;
  /** Writes an artifact of any size, streamed. writeArtifact does the same in one GraphQL mutation, for small content. */
  upload(key: ArtifactKey, content: UploadContent, options?: UploadOptions): Promise<Uploaded>;
  /** Returns whether there is an artifact of this key that the caller may see. */
  exists(key: ArtifactKey, options?: RequestOptions): Promise<boolean>;
  /** Reads an artifact of any size, streamed and verified. */
  download(key: ArtifactKey, options?: DownloadOptions): Promise<Download>;
}

const DEFAULT_TIMEOUT_MS = 90_000;
const DEFAULT_RETRIES = 3;

/** @throws TypeError for a url that is none, or that carries credentials */
export function createTierkeep(options: TierkeepOptions): Tierkeep {
  const caller = callerOf({
    endpoint: endpointOf(options.url),
    // Called as a method of another object, a browser's own fetch would refuse.
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
    // Loaded by the first call, as the events are: whoever only asks questions carries none of it.
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
