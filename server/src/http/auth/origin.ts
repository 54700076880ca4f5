import { Refused } from "@tierkeep/schema/domain/refusals";
import { signedOf } from "../artifacts/signed-request.ts";

export interface TrustedOrigins {
  /** The URL at which browsers reach this server. Null: it is the one in the Host header. */
  readonly publicUrl: string | null;
  /** Other origins whose pages may call this server, in the form of the Origin header. */
  readonly corsOrigins: readonly string[];
}

const LOOPBACK_HOST = /^(?:(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])\.?(?::\d{1,5})?$/i;

/**
 * Requires a loopback host name. Without authentication, every local client is an administrator. A web page
 * could resolve its own name to 127.0.0.1 and so have the same origin as this server.
 *
 * @throws Refused FORBIDDEN
 */
export function requireLoopback(host: string): void {
  if (LOOPBACK_HOST.test(host)) return;
  throw new Refused(
    "FORBIDDEN",
    "Without authentication, this server accepts requests for loopback host names only. Call it at localhost or 127.0.0.1.",
  );
}

/**
 * Requires a trusted origin. A browser sends requests to this server for any page, so the page's origin must
 * be known.
 *
 * @throws Refused FORBIDDEN
 */
export function requireTrustedOrigin(host: string, origin: string | null, trusted: TrustedOrigins): void {
  if (origin === null || origin === `http://${host.toLowerCase()}` || isListed(origin, trusted)) return;
  throw new Refused(
    "FORBIDDEN",
    "The origin of this web page is not trusted. Add it to CORS_ORIGINS where the server is started.",
    {},
    { cause: new Error(`the origin${shown(origin)} is not in CORS_ORIGINS`) },
  );
}

/**
 * Refuses requests that a page of an untrusted origin makes without Origin, such as images, scripts and
 * frames. It is needed without authentication, because a browser sends such requests for any page. Following
 * a link to this server is allowed.
 *
 * @throws Refused FORBIDDEN
 */
export function requireTrustedPage(headers: Headers, trusted: TrustedOrigins): void {
  const site = headers.get("sec-fetch-site");
  if (site !== "cross-site" && site !== "same-site") return;
  if (headers.get("sec-fetch-mode") === "navigate" && headers.get("sec-fetch-dest") === "document") return;
  const page = pageOf(headers);
  if (page !== null && isListed(page, trusted)) return;
  throw new Refused(
    "FORBIDDEN",
    "The web page that made this request is not trusted. Add its origin to CORS_ORIGINS where the server is started.",
    {},
    {
      cause: new Error(`a page of an origin${page === null ? "" : shown(page)} that is not in CORS_ORIGINS`),
    },
  );
}

/**
 * Returns the origin of the page that made a request, from Origin or else Referer. Null if the browser sends
 * neither.
 */
function pageOf(headers: Headers): string | null {
  const origin = headers.get("origin");
  if (origin !== null) return origin;
  const referer = headers.get("referer");
  return referer === null || referer.length > MAX_REFERER_LENGTH
    ? null
    : (URL.parse(referer)?.origin ?? null);
}

/**
 * Allows pages of trusted origins to embed an artifact, for example as an image. A signed URL grants access by
 * itself: if CORS_ORIGINS names any origin, pages whose origin the browser does not send may embed it as well.
 */
export function allowEmbedding(answer: Headers, request: Request, trusted: TrustedOrigins): void {
  const { publicUrl, corsOrigins } = trusted;
  if (publicUrl === null && corsOrigins.length === 0) return;
  const page = pageOf(request.headers);
  const allowed =
    page === null ? corsOrigins.length > 0 && signedOf(request) !== null : isListed(page, trusted);
  if (allowed) answer.set("cross-origin-resource-policy", "cross-origin");
}

const MAX_REFERER_LENGTH = 4096;

/** Enough for a scheme, the longest DNS name, and a port. */
const MAX_ORIGIN_LENGTH = 270;

/** Returns a space and the origin in quotes; empty if it is malformed. The log contains no other header value. */
function shown(origin: string): string {
  return origin.length <= MAX_ORIGIN_LENGTH && URL.parse(origin)?.origin === origin ? ` "${origin}"` : "";
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

/** Allows the requesting page to read the response. Its origin was checked before. */
export function allowOrigin(headers: Headers, origin: string | null): void {
  headers.append("vary", "origin");
  if (origin === null) return;
  headers.set("access-control-allow-origin", origin);
  headers.set("access-control-expose-headers", EXPOSED);
}

const HEADER_NAMES = /^[!#$%&'*+.^_`|~0-9a-z-]+(?:[\t ]*,[\t ]*[!#$%&'*+.^_`|~0-9a-z-]+)*$/i;

/**
 * Returns the response to a preflight request. A page of a trusted origin may send any header: it is trusted like any
 * other client, and tracing libraries add their own headers.
 */
export function preflight({ headers }: Request): Response {
  const names = headers.get("access-control-request-headers") ?? "";
  return new Response(null, {
    status: 204,
    headers: {
      allow: "GET, HEAD, POST, PUT, OPTIONS",
      "access-control-allow-methods": "GET, HEAD, POST, PUT",
      ...(HEADER_NAMES.test(names) && { "access-control-allow-headers": names }),
      "access-control-max-age": "600",
      vary: "access-control-request-headers",
    },
  });
}
