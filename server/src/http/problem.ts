import { REFUSALS, Refused } from "@tierkeep/schema/domain/refusals";
import type { Call } from "./call.ts";

export interface ProblemOptions {
  /** HTTP status if it differs from the code's usual one (405, 416). */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refusal with a specific HTTP status or headers. */
export class HttpRefused extends Refused {
  readonly options: ProblemOptions;

  constructor(refused: Refused, options: ProblemOptions) {
    super(refused.code, refused.message, refused.facts);
    this.options = options;
  }
}

/**
 * Returns a refusal as an RFC 9457 problem, with the code, the request id and the facts that GraphQL puts
 * into extensions.
 */
export function problemResponse(refused: Refused, call: Call): Response {
  const { body, ...rest } = problemOf(refused, call);
  return new Response(body, rest);
}

/** Returns the parts of a problem response, for places where no Response can be sent. */
export function problemOf(refused: Refused, call: Call) {
  const { status = REFUSALS[refused.code].http, headers = {} } =
    refused instanceof HttpRefused ? refused.options : {};
  call.code = refused.code;
  call.status = status;
  const means: string = REFUSALS[refused.code].means;
  return {
    status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...headersOfRefusal(refused),
      ...headers,
    },
    body: JSON.stringify({
      type: `urn:tierkeep:refusal:${refused.code}`,
      title: `${means.charAt(0).toUpperCase()}${means.slice(1)}.`,
      status,
      detail: refused.message,
      code: refused.code,
      requestId: call.requestId,
      ...refused.facts,
    }),
  };
}

/** HTTP headers of a refusal, for any body. */
export function headersOfRefusal({ code, facts: { retryAfterSeconds } }: Refused): Record<string, string> {
  return {
    ...(retryAfterSeconds !== undefined && { "retry-after": String(Math.ceil(retryAfterSeconds)) }),
    ...(code === "UNAUTHENTICATED" && { "www-authenticate": "Bearer" }),
  };
}

export function methodRefused(method: string, allow: string): HttpRefused {
  return new HttpRefused(new Refused("BAD_USER_INPUT", `${method} is not supported here; use ${allow}.`), {
    status: 405,
    headers: { allow },
  });
}
