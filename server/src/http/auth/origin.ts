import { Refused } from "@tierkeep/schema/domain/refusals";
import { signedOf } from "../artifacts/signed-request.ts";

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
    {},
    { cause: new Error(`the origin${shown(origin)} is not in CORS_ORIGINS`) },
  );
}

/**
 * Without authentication a browser reaches this server for any page, and sends no Origin with images, scripts and frames.
 * Such a request of a page that is not trusted is refused. A link that leads here from elsewhere is followed.
 *
 * @throws Refused FORBIDDEN
 */
export function requireDeliberate(headers: Headers, trusted: TrustedOrigins): void {
  const site = headers.get("sec-fetch-site");
  if (site !== "cross-site" && site !== "same-site") return;
  if (headers.get("sec-fetch-mode") === "navigate" && headers.get("sec-fetch-dest") === "document") return;
  const page = pageOf(headers);
  if (page !== null && isListed(page, trusted)) return;
  throw new Refused(
    "FORBIDDEN",
    "A web page that is not trusted here made this request. Add its origin to CORS_ORIGINS where the server is started.",
    {},
    {
      cause: new Error(`a page of an origin${page === null ? "" : shown(page)} that is not in CORS_ORIGINS`),
    },
  );
}

/** The origin of the page that made a request, as far as the browser tells: by Origin, else by Referer. */
function pageOf(headers: Headers): string | null {
  const origin = headers.get("origin");
  if (origin !== null) return origin;
  const referer = headers.get("referer");
  return referer === null || referer.length > MAX_REFERER_LENGTH
    ? null
    : (URL.parse(referer)?.origin ?? null);
}

/**
 * Lets pages of trusted origins show an artifact, such as in an image. A signed URL is a permission by itself: where pages
 * of other origins are trusted at all, it also works for a page of which the browser tells nothing.
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

/** Scheme, the longest name that DNS has, and a port. */
const MAX_ORIGIN_LENGTH = 270;

/** For the log, which holds no other value of a header: an origin as browsers send it, in quotes; else nothing. */
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

/** Lets the page that asked read the answer. The request has been found trusted before. */
export function allowOrigin(headers: Headers, origin: string | null): void {
  headers.append("vary", "origin");
  if (origin === null) return;
  headers.set("access-control-allow-origin", origin);
  headers.set("access-control-expose-headers", EXPOSED);
}

const HEADER_NAMES = /^[!#$%&'*+.^_`|~0-9a-z-]+(?:[\t ]*,[\t ]*[!#$%&'*+.^_`|~0-9a-z-]+)*$/i;

/**
 * The answer to a preflight request. A page of a trusted origin may send any header: it is trusted as any other client is,
 * and tracing libraries add headers of their own.
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
