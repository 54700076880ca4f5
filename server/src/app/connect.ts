import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { Config } from "../config/config.ts";
import type { Clock } from "../engine/clock.ts";
import { createWarnings } from "../http/monitoring/log.ts";
import { type Store, StoreOwnedError } from "./embedded/store.ts";
import { findOwner, type OwnedStore, own, ownedProblem } from "./owner.ts";
import { type Opening, requireStoreAgreement } from "./settings/store-opening.ts";

type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** A connection to the API, for a command that is its client. */
export interface Connection {
  /** The GraphQL endpoint. It stays valid for `fetch` when another process becomes the store's owner. */
  readonly url: string;
  /** Like globalThis.fetch. With an embedded store, it calls the handler without a socket. */
  readonly fetch: Fetch;
  /** The store, if this process has opened it; null: a server owns it. */
  readonly store: Store | null;
  /** Releases an embedded store. */
  close(): Promise<void>;
}

export interface ConnectOptions {
  /** What opening the store may do to it, if no server owns it. Default: create. */
  readonly opening?: Opening | undefined;
  /** A server's GraphQL endpoint. Default: that of the configured store's owner. */
  readonly url?: string | undefined;
  readonly clock?: Clock | undefined;
  /** Default: warnings on stderr. */
  readonly log?: Logger | undefined;
  /** Aborts a wait for the store's owner. */
  readonly signal?: AbortSignal | undefined;
}

const OWNER_WAIT_MS = 10_000;
const OWNER_RETRY_MS = 100;

/**
 * Connects to the server at `url`, else to the server that owns the configured store, else opens the store itself until
 * the connection is closed.
 *
 * When the owner ends, the first call that finds it unreachable fails. The next call connects to the new owner, or opens
 * the store. So a client that retries retryable calls succeeds.
 *
 * @throws StartProblem
 */
export async function connect(config: Config, options: ConnectOptions = {}): Promise<Connection> {
  const { url } = options;
  if (url !== undefined)
    return { url, fetch: (to, init) => fetch(to, init), store: null, close: async () => {} };

  let route = await routeToStore(config, options);
  const endpoint = route.url;
  let finding: Promise<void> | null = null;

  /** Starts to look for a route that replaces `lost`. Concurrent failures start this once. */
  function replaceRoute(lost: Route): void {
    if (lost !== route || finding !== null) return;
    finding = routeToStore(config, options).then((found) => {
      route = found;
      finding = null;
    });
    // If there is none, this and every later call rejects with the error.
    finding.catch(() => {});
  }

  return {
    url: endpoint,
    get store() {
      return route.owned?.store ?? null;
    },
    async fetch(to, init) {
      if (finding !== null) await finding;
      const used = route;
      try {
        return await used.fetch(used.url === endpoint ? to : movedTo(used.url, to), init);
      } catch (error) {
        if (used.owned === null && init?.signal?.aborted !== true) replaceRoute(used);
        throw error;
      }
    },
    async close() {
      await finding?.catch(() => {});
      await route.owned?.close();
    },
  };
}

interface Route {
  readonly url: string;
  readonly fetch: Fetch;
  /** Null: another process owns the store. */
  readonly owned: OwnedStore | null;
}

/** @throws StartProblem */
async function routeToStore(
  config: Config,
  { opening = "create", clock, log = createWarnings(), signal }: ConnectOptions,
): Promise<Route> {
  const deadline = Date.now() + OWNER_WAIT_MS;
  for (;;) {
    try {
      const owned = await own(config, { opening, host: "127.0.0.1", port: 0, log, clock });
      const { handler, identity } = owned.store;
      const call: Fetch = (to, init) => handler.fetch(new Request(to, init));
      return { url: owned.url, fetch: withToken(identity.token, call), owned };
    } catch (error) {
      if (!(error instanceof StoreOwnedError)) throw error;
      const owner = await findOwner(config);
      // The stored settings are final: a server stores them before it listens.
      requireStoreAgreement(config);
      if (owner !== null) return { url: owner.url, fetch: withToken(owner.token, fetch), owned: null };
      // The owner is opening or closing the store.
      if (Date.now() > deadline) throw await ownedProblem(config);
      await delay(OWNER_RETRY_MS, undefined, { signal });
    }
  }
}

/** Returns the URL with its path and query at another server. */
function movedTo(endpoint: string, url: string): string {
  const { pathname, search } = new URL(url);
  return new URL(`${pathname}${search}`, endpoint).href;
}

function withToken(token: string, send: Fetch): Fetch {
  return (url, init) => {
    const headers = new Headers(init?.headers);
    if (!headers.has("authorization")) headers.set("authorization", `Bearer ${token}`);
    return send(url, { ...init, headers });
  };
}
