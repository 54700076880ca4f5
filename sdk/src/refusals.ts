import { ConnectionError, TierkeepError } from "./errors.ts";

/** An entry of a GraphQL response's `errors`. */
export interface ResponseError {
  readonly message?: unknown;
  readonly extensions?: { readonly [key: string]: unknown } | undefined;
}

const FACTS = "requestId argument tier checksum jobId retryAfterSeconds outcome";

/** Returns the error for a server's refusal. */
export function refusalOf(error: ResponseError): TierkeepError {
  const given = error.extensions ?? {};
  const code = textOf(given.code) ?? "UNKNOWN";
  const facts = Object.fromEntries(FACTS.split(" ").map((name) => [name, given[name]]));
  return new TierkeepError(code, textOf(error.message) ?? `The server rejected the request: ${code}.`, facts);
}

/** Returns the first refusal in GraphQL `errors`; undefined if there is none. */
export function refusalIn(errors: unknown): TierkeepError | undefined {
  return Array.isArray(errors) && isRecord(errors[0]) ? refusalOf(errors[0]) : undefined;
}

/**
 * Returns the JSON object in the server's response.
 *
 * @throws the refusal in its GraphQL errors or its problem+json; ConnectionError if the response is not from
 * Tierkeep
 */
export async function answerOf(response: Response): Promise<{ readonly [key: string]: unknown }> {
  const text = await response.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw unexpected(response, cause);
  }
  if (!isRecord(body)) throw unexpected(response);
  const refusal = refusalIn(body.errors);
  if (refusal) throw refusal;
  if (response.ok) return body;
  if (textOf(body.code) === undefined) throw unexpected(response);
  throw refusalOf({ message: body.detail ?? body.title, extensions: body });
}

export function unexpected(response: Response, cause?: unknown): ConnectionError {
  return new ConnectionError(
    `The response with HTTP ${response.status} is not from Tierkeep. Check that the url is that of a Tierkeep server, and that every proxy in front of it allows requests and headers of this size.`,
    { cause, status: response.status },
  );
}

export function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
