import { randomBytes } from "node:crypto";
import { Writable } from "node:stream";
import { DEFAULT_LIMITS, type Limits } from "@tierkeep/schema/domain/limits";
import type { Services } from "@tierkeep/schema/services/services";
import { pino } from "pino";
import { systemClock } from "../engine/clock.ts";
import { EventCursors } from "../engine/event-cursor.ts";
import { EngineEvents } from "../engine/event-service.ts";
import { EngineKeys } from "../engine/key-service.ts";
import type { OpenedEngine } from "../engine/open-engine.ts";
import { OpenedStore } from "../engine/opened-store.ts";
import { EngineQuarantine } from "../engine/quarantine-service.ts";
import { EngineUrls } from "../engine/signed-urls.ts";
import { EngineTenants } from "../engine/tenant-service.ts";
import { EngineJobs } from "../lifecycle/job-service.ts";
import type { Authenticate } from "./authenticate.ts";
import { basePathOf } from "./base-path.ts";
import { createHandler, type Handler } from "./handler.ts";
import { type Listener, listen } from "./listen.ts";
import { SERIALIZERS } from "./log.ts";
import type { TrustedOrigins } from "./origin.ts";

export const ORIGIN = "http://127.0.0.1:4000";

const POLICY = { hotDays: 7, warmDays: 30, coldDays: 90 };

/** The handler over a real store in a temporary folder, for as long as a test lasts. */
export interface HandlerUnderTest extends AsyncDisposable {
  readonly handler: Handler;
  readonly services: Services;
  readonly engine: OpenedEngine;
  readonly root: string;
  /** Every line of the log so far. */
  readonly logged: readonly Record<string, unknown>[];
  /** A request without a socket; `path` as in the URL. */
  request(path: string, init?: RequestInit): Promise<Response>;
  graphql(query: string, variables?: unknown, headers?: Record<string, string>): Promise<Response>;
  /** Opens a socket on a free port. */
  listen(): Promise<Listener>;
}

export interface HandlerUnderTestOptions {
  readonly trusted?: Partial<TrustedOrigins>;
  /** Default: none is configured. */
  readonly authenticate?: Authenticate;
  readonly limits?: Partial<Limits>;
  readonly maxInlineBytes?: number;
  readonly maxArtifactBytes?: number | null;
  /** Puts something else in the place of a service. */
  readonly replace?: (services: Services) => Partial<Services>;
}

export async function handlerUnderTest(options: HandlerUnderTestOptions = {}): Promise<HandlerUnderTest> {
  const { maxInlineBytes = 1024 * 1024, maxArtifactBytes = null } = options;
  const store = await OpenedStore.open({ clock: systemClock, maxArtifactBytes, upkeepByItself: true });
  const { root, catalog, engine } = store;
  const jobs = new EngineJobs({ engine, policy: () => POLICY, allowAsOf: false, onProblem: () => {} });
  const keys = new EngineKeys(catalog, systemClock);
  const basePath = basePathOf(options.trusted?.publicUrl ?? null);
  const urls = new EngineUrls({ catalog, clock: systemClock, keys, storeKey: randomBytes(16), basePath });
  const real: Services = {
    artifacts: engine.artifacts,
    tenants: new EngineTenants(catalog, () => POLICY),
    events: new EngineEvents(catalog, new EventCursors(catalog.epoch, randomBytes(16))),
    jobs,
    keys,
    quarantine: new EngineQuarantine({
      catalog,
      clock: systemClock,
      stores: engine.stores,
      purgeRefusal: engine.purgeRefusal,
    }),
    urls,
    basePath,
    limits: { maxInlineBytes, maxArtifactBytes },
    server: { version: "1.2.3", authentication: true, schedule: null, nextRunAt: () => null, graphiql: true },
    now: () => Date.now(),
  };
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

/** `service`, with other methods in the place of some. */
export function withMethods<T extends object>(service: T, methods: Partial<T>): T {
  return new Proxy(service, {
    get(target, name) {
      const value = name in methods ? methods[name as keyof T] : target[name as keyof T];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
