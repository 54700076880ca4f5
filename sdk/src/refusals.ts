import { ConnectionError, TierkeepError } from "./errors.ts";

/** An entry of a GraphQL response's `errors`. */
export interface ResponseError {
  readonly message?: unknown;
  readonly extensions?: { readonly [key: string]: unknown } | undefined;
}

const FACTS = "requestId argument tier checksum jobId retryAfterSeconds outcome";

/** The error for a refusal that a server sent, of the class that its code has. */
export function refusalOf(error: ResponseError): TierkeepError {
  const given = error.extensions ?? {};
  const code = textOf(given.code) ?? "UNKNOWN";
  const facts = Object.fromEntries(FACTS.split(" ").map((name) => [name, given[name]]));
  return new TierkeepError(code, textOf(error.message) ?? `The server refused: ${code}.`, facts);
}

/**
 * The error for an HTTP answer that is not the one hoped for: the refusal in its problem+json or its GraphQL errors,
 * else a ConnectionError, for it is not Tierkeep that speaks.
 */
export async function refusalOfResponse(response: Response): Promise<TierkeepError | ConnectionError> {
  let body: unknown;
  try {
    body = JSON.parse(await response.text());
  } catch (cause) {
    return unexpected(response, cause);
  }
  if (!isRecord(body)) return unexpected(response);
  const first = Array.isArray(body.errors) ? body.errors[0] : undefined;
  if (isRecord(first)) return refusalOf(first);
  if (textOf(body.code) === undefined) return unexpected(response);
  return refusalOf({ message: body.detail ?? body.title, extensions: body });
}

export function unexpected(response: Response, cause?: unknown): ConnectionError {
  return new ConnectionError(
    `Answered with HTTP ${response.status} and not in Tierkeep's way. Is the url that of a Tierkeep server's /graphql?`,
    { cause, status: response.status },
  );
}

export function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
