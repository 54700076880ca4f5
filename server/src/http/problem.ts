import { REFUSALS, Refused } from "@tierkeep/schema/domain/refusals";
import type { Call } from "./call.ts";

export interface ProblemOptions {
  /** Where HTTP has a status of its own for it (405, 416). Default: the table's. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refusal that has a status or headers of its own in HTTP. */
export class HttpRefused extends Refused {
  readonly options: ProblemOptions;

  constructor(refused: Refused, options: ProblemOptions) {
    super(refused.code, refused.message, refused.facts);
    this.options = options;
  }
}

/** A refusal as RFC 9457 has it, with the code, the request's id and the facts that GraphQL puts into extensions. */
export function problemResponse(refused: Refused, call: Call): Response {
  const { body, ...rest } = problemOf(refused, call);
  return new Response(body, rest);
}

/** The same in parts, for where no Response can be sent. */
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

/** What HTTP says in headers of a refusal, whatever its body is. */
export function headersOfRefusal({ code, facts: { retryAfterSeconds } }: Refused): Record<string, string> {
  return {
    ...(retryAfterSeconds !== undefined && { "retry-after": String(Math.ceil(retryAfterSeconds)) }),
    ...(code === "UNAUTHENTICATED" && { "www-authenticate": "Bearer" }),
  };
}

export function methodRefused(method: string, allow: string): HttpRefused {
  return new HttpRefused(
    new Refused("BAD_USER_INPUT", `${method} is not possible here; this takes ${allow}.`),
    { status: 405, headers: { allow } },
  );
}
