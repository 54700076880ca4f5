import { Refused } from "@tierkeep/schema/domain/refusals";

export interface TrustedOrigins {
  /** Where browsers reach this server, if not at its Host: a URL, or null. */
  readonly publicUrl: string | null;
  /** Pages of other origins that may call, as browsers write them. */
  readonly corsOrigins: readonly string[];
}

const LOOPBACK_HOST = /^(?:(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])\.?(?::\d{1,5})?$/i;

/**
 * Without authentication everyone who reaches this machine's loopback is an administrator. So the host asked for must be
 * a loopback name, or a page could have its own name resolve to 127.0.0.1 and be of the same origin as this server.
 *
 * @throws Refused FORBIDDEN
 */
export function requireLoopback(host: string): void {
  if (LOOPBACK_HOST.test(host)) return;
  throw new Refused(
    "FORBIDDEN",
    "Without authentication this server answers only to loopback names. Call it at localhost or 127.0.0.1.",
  );
}

/**
 * Keeps web pages of strangers out: a browser reaches, for any page, what its machine reaches, so a page's origin must be
 * known.
 *
 * @throws Refused FORBIDDEN
 */
export function requireTrusted(host: string, origin: string | null, trusted: TrustedOrigins): void {
  if (origin === null || origin === `http://${host.toLowerCase()}` || isListed(origin, trusted)) return;
  throw new Refused(
    "FORBIDDEN",
    "This web page's origin is not trusted here. Add it to CORS_ORIGINS where the server is started.",
  );
}

function isListed(origin: string, { publicUrl, corsOrigins }: TrustedOrigins): boolean {
  return corsOrigins.includes(origin) || (publicUrl !== null && new URL(publicUrl).origin === origin);
}

const EXPOSED = [
  "accept-ranges",
  "content-disposition",
  "content-length",
  "content-range",
  "etag",
  "last-modified",
  "repr-digest",
  "x-request-id",
].join(", ");

/** Lets the page that asked read the answer. The request has been found trusted before. */
export function allowOrigin(headers: Headers, origin: string | null): void {
  headers.append("vary", "origin");
  if (origin === null) return;
  headers.set("access-control-allow-origin", origin);
  headers.set("access-control-expose-headers", EXPOSED);
}

const ALLOWED_HEADERS = [
  "accept",
  "authorization",
  "content-type",
  "idempotency-key",
  "if-match",
  "if-none-match",
  "if-range",
  "last-event-id",
  "range",
  "repr-digest",
  "tierkeep-metadata",
  "x-request-id",
].join(", ");

/** The answer to a browser that asks, before it sends what a plain page could not, whether it may. */
export function preflight(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      allow: "GET, HEAD, POST, PUT, OPTIONS",
      "access-control-allow-methods": "GET, HEAD, POST, PUT",
      "access-control-allow-headers": ALLOWED_HEADERS,
      "access-control-max-age": "600",
    },
  });
}
