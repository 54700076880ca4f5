import { randomBytes } from "node:crypto";
import { Writable } from "node:stream";
import { DEFAULT_LIMITS, type Limits } from "@tierkeep/schema/domain/limits";
import type { Services } from "@tierkeep/schema/services/services";
import { pino } from "pino";
import type { OpenedEngine } from "../../src/app/embedded/open-engine.ts";
import { systemClock } from "../../src/engine/clock.ts";
import type { Authenticate } from "../../src/http/auth/authenticate.ts";
import type { TrustedOrigins } from "../../src/http/auth/origin.ts";
import { createHandler, type Handler } from "../../src/http/handler.ts";
import { SERIALIZERS } from "../../src/http/monitoring/log.ts";
import { type Listener, listen } from "../../src/http/node/listen.ts";
import { servicesOf } from "../stores/engine-services.ts";
import { EngineStore } from "../stores/engine-store.ts";

export const ORIGIN = "http://127.0.0.1:4000";

/** The handler over a real store in a temporary folder, until it is disposed. */
export interface HandlerUnderTest extends AsyncDisposable {
  readonly handler: Handler;
  readonly services: Services;
  readonly engine: OpenedEngine;
  readonly root: string;
  /** Every log line so far. */
  readonly logged: readonly Record<string, unknown>[];
  /** Sends a request without a socket; `path` as in the URL. */
  request(path: string, init?: RequestInit): Promise<Response>;
  graphql(query: string, variables?: unknown, headers?: Record<string, string>): Promise<Response>;
  /** Listens on a free port. */
  listen(): Promise<Listener>;
}

export interface HandlerUnderTestOptions {
  readonly trusted?: Partial<TrustedOrigins>;
  /** Default: no authentication. */
  readonly authenticate?: Authenticate;
  readonly limits?: Partial<Limits>;
  readonly maxInlineBytes?: number;
  readonly maxArtifactBytes?: number | null;
  /** Replaces services. */
  readonly replace?: (services: Services) => Partial<Services>;
}

export async function handlerUnderTest(options: HandlerUnderTestOptions = {}): Promise<HandlerUnderTest> {
  const { maxInlineBytes = 1024 * 1024, maxArtifactBytes = null } = options;
  const store = await EngineStore.open({ clock: systemClock, maxArtifactBytes, upkeepByItself: true });
  const { root, engine } = store;
  const { publicUrl = null } = options.trusted ?? {};
  const {
    services: real,
    jobs,
    urls,
  } = servicesOf(store, {
    config: { publicUrl, maxInlineBytes, maxArtifactBytes },
    storeKey: randomBytes(16),
  });
  const services = { ...real, ...options.replace?.(real) };
  const logged: Record<string, unknown>[] = [];
  const log = pino(
    { base: null, serializers: SERIALIZERS },
    new Writable({
      write(line, _encoding, done) {
        logged.push(JSON.parse(String(line)));
        done();
      },
    }),
  );
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const handler = createHandler({
    services,
    log,
    trusted: { publicUrl: null, corsOrigins: [], ...options.trusted },
    authenticate: options.authenticate ?? null,
    openSigned: (signed) => urls.open(signed),
    limits,
    health: async () => ({ checks: { catalog: null } }),
    metrics: async () => ({
      metrics: [{ name: "tierkeep_test", help: "A test.", type: "gauge", value: 1 }],
      registries: [],
    }),
    identity: { instance: "an-instance", token: "a-token" },
  });
  const listeners: Listener[] = [];
  const request = (path: string, init?: RequestInit) =>
    handler.fetch(
      new Request(`${ORIGIN}${path}`, { ...init, ...(init?.body ? { duplex: "half" } : {}) } as RequestInit),
    );
  return {
    handler,
    services,
    engine,
    root,
    logged,
    request,
    graphql: (query, variables = {}, headers = {}) =>
      request("/graphql", {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ query, variables }),
      }),
    async listen() {
      const listener = await listen(handler, {
        host: "127.0.0.1",
        port: 0,
        maxInlineBytes,
        limits: limits.connections,
        log,
      });
      listeners.push(listener);
      return listener;
    },
    async [Symbol.asyncDispose]() {
      for (const listener of listeners) await listener.close(Date.now());
      handler.endSubscriptions();
      await jobs.stop();
      await store[Symbol.asyncDispose]();
    },
  };
}

/** `service` with some methods replaced. */
export function withMethods<T extends object>(service: T, methods: Partial<T>): T {
  return new Proxy(service, {
    get(target, name) {
      const value = name in methods ? methods[name as keyof T] : target[name as keyof T];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
