import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { Config } from "../config/config.ts";
import type { Clock } from "../engine/clock.ts";
import { createWarnings } from "../http/monitoring/log.ts";
import { type Store, StoreOwnedError } from "./embedded/store.ts";
import { findOwner, type OwnedStore, own, ownedProblem } from "./owner.ts";
import { type Opening, requireStoreAgreement } from "./settings/store-opening.ts";

type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** A way to the API, for a command that is its client. */
export interface Connection {
  /** The GraphQL endpoint. It stays valid for `fetch` when the store's owner changes. */
  readonly url: string;
  /** As globalThis.fetch; with an embedded store it calls the handler without a socket. */
  readonly fetch: Fetch;
  /** The store, where this process has opened it; null: a server has it. */
  readonly store: Store | null;
  /** Lets go of an embedded store. */
  close(): Promise<void>;
}

export interface ConnectOptions {
  /** What opening the store may do to it, where no server has it. Default: create. */
  readonly opening?: Opening | undefined;
  /** A server's GraphQL endpoint. Default: the store of the configuration, whoever owns it. */
  readonly url?: string | undefined;
  readonly clock?: Clock | undefined;
  /** Default: warnings on stderr. */
  readonly log?: Logger | undefined;
  /** Ends a wait for the store's owner. */
  readonly signal?: AbortSignal | undefined;
}

const OWNER_WAIT_MS = 10_000;
const OWNER_RETRY_MS = 100;

/**
 * A way to the API: the server at `url`, else the one that owns the configured store, else the store itself, opened by
 * this process for as long as the connection lasts.
 *
 * When the owner goes away, calls fail until one has found that nobody answers; the next one finds the new owner, or
 * becomes it. So whoever repeats what may be repeated gets its answer.
 *
 * @throws StartProblem
 */
export async function connect(config: Config, options: ConnectOptions = {}): Promise<Connection> {
  const { url } = options;
  if (url !== undefined)
    return { url, fetch: (to, init) => fetch(to, init), store: null, close: async () => {} };

  let way = await wayToStore(config, options);
  const endpoint = way.url;
  let finding: Promise<void> | null = null;

  /** The way to take after `lost`. Calls that fail together look for it once. */
  function findAnother(lost: Way): void {
    if (lost !== way || finding !== null) return;
    finding = wayToStore(config, options).then((found) => {
      way = found;
      finding = null;
    });
    // Where there is none, the next call learns of it, and so does every later one.
    finding.catch(() => {});
  }

  return {
    url: endpoint,
    get store() {
      return way.owned?.store ?? null;
    },
    async fetch(to, init) {
      if (finding !== null) await finding;
      const taken = way;
      try {
        return await taken.fetch(taken.url === endpoint ? to : movedTo(taken.url, to), init);
      } catch (error) {
        if (taken.owned === null && init?.signal?.aborted !== true) findAnother(taken);
        throw error;
      }
    },
    async close() {
      await finding?.catch(() => {});
      await way.owned?.close();
    },
  };
}

interface Way {
  readonly url: string;
  readonly fetch: Fetch;
  /** Null: another process has the store. */
  readonly owned: OwnedStore | null;
}

/** @throws StartProblem */
async function wayToStore(
  config: Config,
  { opening = "create", clock, log = createWarnings(), signal }: ConnectOptions,
): Promise<Way> {
  const giveUp = Date.now() + OWNER_WAIT_MS;
  for (;;) {
    try {
      const owned = await own(config, { opening, host: "127.0.0.1", port: 0, log, clock });
      const { handler, identity } = owned.store;
      const call: Fetch = (to, init) => handler.fetch(new Request(to, init));
      return { url: owned.url, fetch: withToken(identity.token, call), owned };
    } catch (error) {
      if (!(error instanceof StoreOwnedError)) throw error;
      const owner = await findOwner(config);
      // Its settings are final by then: a server stores them before it listens.
      requireStoreAgreement(config);
      if (owner !== null) return { url: owner.url, fetch: withToken(owner.token, fetch), owned: null };
      // It is opening the store, or just leaving it.
      if (Date.now() > giveUp) throw await ownedProblem(config);
      await delay(OWNER_RETRY_MS, undefined, { signal });
    }
  }
}

/** The same path and query at another server. */
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
