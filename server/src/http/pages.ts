import type { Principal } from "@tierkeep/schema/domain/principal";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { seesTenants } from "@tierkeep/schema/domain/rights";
import type { Registry } from "prom-client";
import { OWNER_PATH, type OwnerIdentity, ownerChallenge } from "./auth/owner-challenge.ts";
import type { Call, Route } from "./call.ts";
import { GRAPHQL_PATH } from "./graphql/graphql.ts";
import { type Health, healthz, readyz } from "./monitoring/health.ts";
import { type Metric, metricsResponse } from "./monitoring/metrics.ts";

/** A resource at a fixed path, for GET and HEAD. */
export interface Page {
  readonly route: Route;
  respond(request: Request, call: Call): Response | Promise<Response>;
}

export interface PagesParts {
  readonly hasGraphiql: boolean;
  readonly basePath: string;
  readonly health: () => Promise<Health>;
  /** Whether /readyz names the failed checks. */
  readonly showsChecks: boolean;
  /** Null: the store has no local owner. */
  readonly identity: OwnerIdentity | null;
  /** Authenticates a call. @throws Refused UNAUTHENTICATED; RATE_LIMITED */
  readonly identify: (call: Call, authorization: string | null) => Promise<void>;
  readonly metrics: () => Promise<AllMetrics>;
}

export interface AllMetrics {
  readonly metrics: readonly Metric[];
  readonly registries: readonly Registry[];
}

/** Pages by path. None requires authentication, except the metrics, which describe the store. */
export function pagesOf(parts: PagesParts): Readonly<Record<string, Page>> {
  const { identity } = parts;
  return {
    ...(parts.hasGraphiql && {
      "/": { route: "graphiql", respond: () => toGraphiql(parts.basePath) },
    }),
    // Browsers request it for every JSON response they show.
    "/favicon.ico": {
      route: "other",
      respond: () => new Response(null, { status: 204, headers: { "cache-control": "max-age=86400" } }),
    },
    "/healthz": { route: "health", respond: healthz },
    "/readyz": { route: "health", respond: () => readyz(parts.health, parts.showsChecks) },
    "/metrics": {
      route: "metrics",
      async respond(request, call) {
        await parts.identify(call, request.headers.get("authorization"));
        requireSeesAll(call.principal);
        const { metrics, registries } = await parts.metrics();
        return metricsResponse(metrics, registries);
      },
    },
    ...(identity !== null && {
      [OWNER_PATH]: { route: "other", respond: (request: Request) => ownerChallenge(request, identity) },
    }),
  };
}

/** @throws Refused FORBIDDEN */
function requireSeesAll(principal: Principal): void {
  if (seesTenants(principal, null)) return;
  throw new Refused(
    "FORBIDDEN",
    "Metrics cover the complete store. Use credentials with access to all tenants.",
  );
}

function toGraphiql(basePath: string): Response {
  return new Response(null, {
    status: 302,
    headers: { location: `${basePath}${GRAPHQL_PATH}`, "cache-control": "no-cache" },
  });
}
