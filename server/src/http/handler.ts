import type { Limits } from "@tierkeep/schema/domain/limits";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Services } from "@tierkeep/schema/services/services";
import type { Logger } from "pino";
import { guarded } from "../access/guard.ts";
import type { Permission } from "../services/signed-urls.ts";
import { ARTIFACTS_PATH } from "./artifacts/artifact-path.ts";
import { artifacts } from "./artifacts/artifacts.ts";
import { requirePermission, signedOf } from "./artifacts/signed-request.ts";
import type { Authenticate } from "./auth/authenticate.ts";
import { LOCAL } from "./auth/credentials.ts";
import {
  allowEmbedding,
  allowOrigin,
  preflight,
  requireLoopback,
  requireTrustedOrigin,
  requireTrustedPage,
  type TrustedOrigins,
} from "./auth/origin.ts";
import { CONFIRM_RETENTION_PATH, confirmRetention, type OwnerIdentity } from "./auth/owner-challenge.ts";
import { withoutBase } from "./base-path.ts";
import { type Call, callsOn, isAbort, withReason } from "./call.ts";
import { createGraphQL, GRAPHQL_PATH, type GraphQLYoga } from "./graphql/graphql.ts";
import { FailedAttempts, failedAttemptsMetrics } from "./limits/failed-attempts.ts";
import { CALL_BYTES, OPERATION_SLICES, STEP_SLICES } from "./limits/limits.ts";
import { MemoryBudget, memoryBudgetMetrics } from "./limits/memory-budget.ts";
import { type Owner, principalOwner, urlOwner } from "./limits/owner.ts";
import { Turns } from "./limits/turns.ts";
import { Usage, usageMetrics } from "./limits/usage.ts";
import type { Health } from "./monitoring/health.ts";
import { RequestMetrics } from "./monitoring/request-metrics.ts";
import { type AllMetrics, pagesOf } from "./pages.ts";
import { methodRefused, problemResponse } from "./problem.ts";

export interface HandlerParts {
  readonly services: Services;
  readonly log: Logger;
  readonly trusted: TrustedOrigins;
  /** Null: no authentication is configured. Every caller is then treated as local. */
  readonly authenticate: Authenticate | null;
  /** The permission of a signed URL's query; null if it is invalid. */
  readonly openSigned: (signed: string) => Promise<Permission | null>;
  readonly limits: Limits;
  readonly health: () => Promise<Health>;
  /** Metrics of the store, in addition to the handler's own. */
  readonly metrics: () => Promise<AllMetrics>;
  /** Null: the store has no local owner. */
  readonly identity: OwnerIdentity | null;
  /**
   * Makes purges apply a shortened retention immediately. Resolves with false if they do already. Default:
   * none.
   */
  readonly confirmRetention?: (() => Promise<boolean>) | undefined;
}

/** The complete HTTP API as a fetch handler, with or without a socket. */
export interface Handler {
  /**
   * Responds to a request; never rejects. `target` is the request target from the wire, because the URL's
   * parser has resolved dots in it. `address` is the peer of its socket.
   */
  fetch(request: Request, target?: string, address?: string): Promise<Response>;
  /** Like `fetch`, for a call that the caller has opened and ends when the response has been sent. */
  respond(request: Request, target: string, call: Call): Promise<Response>;
  /** The instance that WebSockets use. */
  readonly yoga: GraphQLYoga;
  /** Opens an anonymous call for work that is not a request, such as an operation on a WebSocket. */
  openCall(headers: Headers, operation: string, address?: string): Call;
  /** Authenticates a call. @throws Refused UNAUTHENTICATED; RATE_LIMITED */
  identify(call: Call, authorization: string | null): Promise<void>;
  /** Checks whether `identify` would check these credentials at all. @throws Refused RATE_LIMITED */
  requireAttempt(call: Call, authorization: string): void;
  /** Counts the call for its principal until it ends. @throws Refused RATE_LIMITED */
  begin(call: Call): void;
  /** Resolves when the call may start its operation. Null: now. */
  turn(call: Call): Promise<void> | null;
  /** Resolves when the owner's next step may start: a request that arrived, a piece of a response. Null: now. */
  step(owner: Owner): Promise<void> | null;
  /** @throws Refused FORBIDDEN for an untrusted page or host */
  admit(host: string, origin: string | null): void;
  /** Lets a trusted page read a response that the handler did not create. `target` is the request's. */
  allowPage(answer: Headers, request: Headers, target: string): void;
  readonly onInternal: (error: unknown, call: Call) => void;
  /** The refusal for an error. An unexpected error is logged and becomes INTERNAL. */
  refusalOf(error: unknown, call: Call): Refused;
  /** Whether a request target is the GraphQL endpoint. */
  isGraphQL(target: string): boolean;
  /** Aborts when subscriptions must end. */
  readonly ending: AbortSignal;
  /** Completes every subscription, and new ones immediately. */
  endSubscriptions(): void;
}

export function createHandler(parts: HandlerParts): Handler {
  const { log, trusted, authenticate, limits } = parts;
  const { basePath } = parts.services;
  const services = guarded(parts.services);
  const ending = new AbortController();
  const onInternal = (error: unknown, { requestId, operation }: Call) =>
    log.error({ requestId, operation, err: error }, "internal error");
  const budget = new MemoryBudget(limits.usage.maxHeldBytes);
  const requests = new RequestMetrics();
  const onEnd = (call: Call, seconds: number) => requests.ended(call, seconds);
  const openCall = callsOn({ log, budget, onInternal, onEnd });
  const usage = new Usage(limits.usage);
  const attempts = new FailedAttempts(limits.usage);
  const turns = new Turns(OPERATION_SLICES);
  const steps = new Turns(STEP_SLICES);
  const pages = pagesOf({
    hasGraphiql: limits.surface.graphiql,
    basePath,
    health: parts.health,
    showsChecks: authenticate === null,
    identity: parts.identity,
    identify,
    async metrics() {
      const own = [
        ...usageMetrics(usage),
        ...failedAttemptsMetrics(attempts),
        ...memoryBudgetMetrics(budget),
      ];
      const { metrics, registries } = await parts.metrics();
      return { metrics: [...metrics, ...own], registries: [requests.registry, ...registries] };
    },
  });
  const graphql = createGraphQL({ services, limits, usage, turns, onInternal });

  async function identify(call: Call, authorization: string | null): Promise<void> {
    call.credentials =
      authenticate === null
        ? LOCAL
        : await withReason(call, () =>
            authenticate(authorization, (check) =>
              attempts.attempt(call.address, authorization ?? "", check),
            ),
          );
    call.assign(principalOwner(call.principal));
  }

  function requireAttempt(call: Call, authorization: string): void {
    if (authenticate !== null) attempts.require(call.address, authorization);
  }

  async function artifactsRoute(request: Request, path: string, call: Call): Promise<Response> {
    call.operation = `${request.method} /artifacts`;
    call.route = "artifacts";
    const signed = signedOf(request);
    if (signed === null) {
      await identify(call, request.headers.get("authorization"));
      begin(call);
      return artifacts(request, path, call, services, null);
    }
    // A web page can make browsers request forged URLs, so failures do not count against their addresses.
    const permission = await withReason(call, () =>
      requirePermission(request.method, path, signed, parts.openSigned),
    );
    call.credentials = permission;
    call.assign(urlOwner(signed));
    begin(call);
    return artifacts(request, path, call, services, permission.upload);
  }

  function begin(call: Call): void {
    call.atEnd(usage.begin(call.owner));
    call.charge.add(CALL_BYTES);
  }

  async function route(request: Request, path: string, call: Call): Promise<Response> {
    if (request.method === "OPTIONS") return preflight(request);
    if (isGraphQL(path)) return graphqlRoute(request, call);
    if (path.startsWith(ARTIFACTS_PATH)) return artifactsRoute(request, path, call);
    if (path === CONFIRM_RETENTION_PATH && parts.identity !== null && parts.confirmRetention !== undefined) {
      call.operation = `${request.method} ${path}`;
      if (request.method !== "POST") throw methodRefused(request.method, "POST, OPTIONS");
      return confirmRetention(request, parts.identity, parts.confirmRetention);
    }
    const page = pages[path];
    if (page === undefined) {
      call.operation = request.method;
      throw new Refused("NOT_FOUND", `There is no resource at this path. The API is at ${GRAPHQL_PATH}.`);
    }
    call.operation = `${request.method} ${path}`;
    call.route = page.route;
    if (request.method !== "GET" && request.method !== "HEAD")
      throw methodRefused(request.method, "GET, HEAD, OPTIONS");
    return page.respond(request, call);
  }

  async function graphqlRoute(request: Request, call: Call): Promise<Response> {
    call.route = "graphql";
    if (limits.surface.graphiql && isNavigation(request)) {
      call.operation = "GET graphiql";
      call.route = "graphiql";
      // Nine megabytes, loaded only when the page is opened.
      const { graphiql } = await import("./graphql/graphiql.ts");
      return graphiql(request, authenticate !== null, () => turns.take(call.owner));
    }
    try {
      await identify(call, request.headers.get("authorization"));
      begin(call);
    } catch (error) {
      if (error instanceof Refused) return graphql.refuse(request, error, call);
      throw error;
    }
    const signal = AbortSignal.any([request.signal, ending.signal]);
    const lastEventId = request.headers.get("last-event-id") || undefined;
    let refusedBody: Refused | null = null;
    call.onBodyBytes = (bytes) => {
      try {
        call.charge.add(bytes);
      } catch (error) {
        refusedBody = error as Refused;
        throw error;
      }
    };
    const response = await graphql.fetch(request, { call, signal, lastEventId });
    return refusedBody === null ? response : graphql.refuse(request, refusedBody, call);
  }

  /** @throws Refused FORBIDDEN */
  async function admitRequest(request: Request, call: Call): Promise<void> {
    const { headers } = request;
    await withReason(call, async () => {
      admit(hostOf(request), headers.get("origin"));
      if (authenticate === null && headers.has("sec-fetch-site") && signedOf(request) === null)
        requireTrustedPage(headers, trusted);
    });
  }

  function admit(host: string, origin: string | null): void {
    if (authenticate === null) requireLoopback(host);
    requireTrustedOrigin(host, origin, trusted);
  }

  return {
    yoga: graphql.yoga,
    openCall,
    identify,
    requireAttempt,
    begin,
    turn: ({ owner }) => turns.take(owner),
    step: (owner) => steps.take(owner),
    onInternal,
    refusalOf,
    admit,
    allowPage(answer, request, target) {
      const origin = request.get("origin");
      try {
        admit(request.get("host") ?? URL.parse(target)?.host ?? "", origin);
        allowOrigin(answer, origin);
      } catch {
        allowOrigin(answer, null);
      }
    },
    isGraphQL: (target) => isGraphQL(withoutBase(pathOf(target), basePath)),
    ending: ending.signal,
    endSubscriptions: () => ending.abort(),
    async fetch(request, target, address) {
      const call = openCall(request.headers, request.method, address);
      const response = await respond(request, target ?? new URL(request.url).pathname, call);
      if (!call.streams) call.end();
      return response;
    },
    respond,
  };

  async function respond(request: Request, target: string, call: Call): Promise<Response> {
    const path = withoutBase(pathOf(target), basePath);
    let response: Response;
    let admitted = false;
    try {
      await admitRequest(request, call);
      admitted = true;
      response = await route(request, path, call);
      if (!call.streams) call.status = response.status;
    } catch (error) {
      response = failed(error, call);
    }
    if (request.method === "HEAD" && response.body !== null) response = new Response(null, response);
    response.headers.set("x-request-id", call.requestId);
    // An untrusted page must not read why it was refused.
    allowOrigin(response.headers, admitted ? request.headers.get("origin") : null);
    if (admitted && path.startsWith(ARTIFACTS_PATH)) allowEmbedding(response.headers, request, trusted);
    return response;
  }

  function failed(error: unknown, call: Call): Response {
    if (!isAbort(error)) return problemResponse(refusalOf(error, call), call);
    // The client has disconnected. 499 is the usual status for this in logs.
    call.status = 499;
    return new Response(null, { status: 499 });
  }

  function refusalOf(error: unknown, call: Call): Refused {
    if (error instanceof Refused) return error;
    onInternal(error, call);
    return new Refused(
      "INTERNAL",
      "The server failed unexpectedly. Its log has the cause under this requestId.",
    );
  }
}

function isGraphQL(path: string): boolean {
  return path === GRAPHQL_PATH || path === `${GRAPHQL_PATH}/`;
}

/** Returns the Host header, or the host of the URL: requests without a socket have no Host header. */
function hostOf(request: Request): string {
  return request.headers.get("host") ?? new URL(request.url).host;
}

/** Returns the path of a target in origin or absolute form, as sent. */
function pathOf(target: string): string {
  return target.replace(/^https?:\/\/[^/?#]*/i, "").replace(/[?#].*$/s, "") || "/";
}

/** Returns whether the request is a browser's navigation instead of a program's request. */
function isNavigation(request: Request): boolean {
  const { method, headers } = request;
  return (method === "GET" || method === "HEAD") && (headers.get("accept")?.includes("text/html") ?? false);
}
