import { type ErrorCode, REFUSALS } from "@tierkeep/schema/domain/refusals";
import { toGraphQLError } from "@tierkeep/schema/graphql/errors";
import { type ExecutionResult, type FormattedExecutionResult, GraphQLError } from "graphql";
import type { Call } from "../call.ts";

export const GRAPHQL_RESPONSE = "application/graphql-response+json";
export const JSON_TYPE = "application/json";
export const EVENT_STREAM = "text/event-stream";

/** Returns a result to send: every error has a code and a request id, and no internal details. */
export function presentable(
  result: ExecutionResult,
  call: Call,
  onInternal: (error: unknown) => void,
): ExecutionResult {
  if (!result.errors?.length) return result;
  const errors = result.errors.map((error) => {
    const shown = toGraphQLError(error, call.requestId);
    call.code ??= shown.extensions.code as ErrorCode;
    if (shown.extensions.code === "INTERNAL") onInternal(shown.originalError ?? error);
    return shown;
  });
  return { ...result, errors };
}

/** Returns the result without `extensions.http`, which is meant for the transport only. */
export function formatted(result: ExecutionResult): FormattedExecutionResult {
  if (!result.errors?.length) return result as FormattedExecutionResult;
  return {
    ...result,
    errors: result.errors.map((error) => {
      const json = error.toJSON();
      const { http: _http, ...extensions } = json.extensions ?? {};
      return { ...json, extensions };
    }),
  } as FormattedExecutionResult;
}

/** Returns the offered media type that the Accept header prefers. Null if none is acceptable. */
export function acceptedType(accept: string | null, offered: readonly string[]): string | null {
  let best: { readonly type: string; readonly weight: number; readonly precision: number } | null = null;
  for (const part of (accept?.trim() || "*/*").toLowerCase().split(",")) {
    const [range = "", ...parameters] = part.split(";").map((piece) => piece.trim());
    const weight = Number(parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? 1);
    if (!(weight > 0)) continue;
    const [main = "", sub = ""] = range.split("/");
    const type = offered.find(
      (candidate) =>
        range === candidate || range === "*/*" || (sub === "*" && candidate.startsWith(`${main}/`)),
    );
    if (type === undefined) continue;
    const precision = range === "*/*" ? 0 : sub === "*" ? 1 : 2;
    if (best === null || weight > best.weight || (weight === best.weight && precision > best.precision)) {
      best = { type, weight, precision };
    }
  }
  return best?.type ?? null;
}

/**
 * Returns a response with one result. The status is 200 once execution has started. Before that, a malformed request
 * (no JSON, no query, a mutation by GET) gets the status of its error. A well-formed request that cannot be
 * executed (it does not parse or validate, or its variables do not match) gets 200 as application/json, and
 * the status of its code as application/graphql-response+json, as the GraphQL-over-HTTP specification
 * requires.
 */
export function resultResponse(
  result: ExecutionResult,
  type: string,
  call: Call,
  json: string = JSON.stringify(formatted(result)),
): Response {
  const first = result.errors?.[0];
  const http = first?.extensions.http as
    | { readonly status?: number; readonly headers?: Record<string, string> }
    | undefined;
  const code = first?.extensions.code as ErrorCode | undefined;
  if (result.data !== undefined || first === undefined || code === undefined) call.status = 200;
  else if (WELL_FORMED.has(code) || http?.status === undefined) {
    call.status = type === JSON_TYPE && code !== "INTERNAL" ? 200 : REFUSALS[code].http;
  } else call.status = http.status;
  return new Response(json, {
    status: call.status,
    headers: { ...http?.headers, "content-type": `${type}; charset=utf-8`, "cache-control": "no-store" },
  });
}

/** Codes of errors of well-formed requests. */
const WELL_FORMED: ReadonlySet<ErrorCode> = new Set([
  "GRAPHQL_PARSE_FAILED",
  "GRAPHQL_VALIDATION_FAILED",
  "QUERY_TOO_COMPLEX",
  "FORBIDDEN",
]);

/** Returns an error that the transport reports with an HTTP status. */
export function transportError(
  code: ErrorCode,
  message: string,
  status: number,
  headers: Record<string, string> = {},
): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: { status, headers } } });
}
