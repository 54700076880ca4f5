import { createHash, randomBytes } from "node:crypto";
import { TierkeepError } from "@tierkeep/sdk";

/** Returns a unique tenant id. */
export function newTenant(name = "tenant"): string {
  return `${name}-${randomBytes(4).toString("hex")}`;
}

export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Returns `instant` plus `days` (of 24 hours) and `ms` milliseconds. */
export function daysAfter(instant: string, days: number, ms = 0): string {
  return new Date(Date.parse(instant) + Math.round(days * DAY_MS) + ms).toISOString();
}

/**
 * Waits for the next millisecond. Instants have millisecond precision, so two changes in one have no testable
 * order.
 */
export async function nextMillisecond(): Promise<void> {
  for (const start = Date.now(); Date.now() <= start; ) await new Promise(setImmediate);
}

/**
 * Returns the TierkeepError with which an SDK call rejects.
 *
 * @throws if the call succeeds or rejects with another error
 */
export async function refusalOf(call: Promise<unknown>): Promise<TierkeepError> {
  let result: unknown;
  try {
    result = await call;
  } catch (error) {
    if (error instanceof TierkeepError) return error;
    throw error;
  }
  throw new Error(`was not refused, but answered ${JSON.stringify(result)?.slice(0, 200)}`);
}

export interface AnswerError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: {
    readonly code: string;
    readonly requestId: string;
    readonly [fact: string]: unknown;
  };
}

export interface Answer<Data> {
  readonly status: number;
  readonly headers: Headers;
  readonly data: Data | null | undefined;
  readonly errors: readonly AnswerError[];
}

/** Sends a GraphQL request unchanged and returns the complete response. */
export async function ask<Data = unknown>(
  server: { readonly url: string },
  query: string,
  variables: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer<Data>> {
  const response = await fetch(server.url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json", ...headers },
    body: JSON.stringify({ query, variables }),
  });
  const body = (await response.json()) as { data?: Data | null; errors?: AnswerError[] };
  return { status: response.status, headers: response.headers, data: body.data, errors: body.errors ?? [] };
}

/** Returns the data of a GraphQL request. @throws if the response has errors */
export async function dataOf<Data>(
  server: { readonly url: string },
  query: string,
  variables: Readonly<Record<string, unknown>> = {},
): Promise<Data> {
  const { data, errors } = await ask<Data>(server, query, variables);
  if (errors.length > 0 || data == null) throw new Error(`refused: ${JSON.stringify(errors)}`);
  return data;
}

/** Returns the error codes of a GraphQL response, in the order of `errors`. */
export async function codesOf(
  server: { readonly url: string },
  query: string,
  variables: Readonly<Record<string, unknown>> = {},
): Promise<string[]> {
  return (await ask(server, query, variables)).errors.map(({ extensions }) => extensions.code);
}

/**
 * Runs `act` for each item, at most `width` concurrently. The default fills batched commits without overload.
 */
export async function forEachOf<T>(
  items: Iterable<T>,
  act: (item: T) => Promise<unknown>,
  width = 32,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let next = iterator.next(); !next.done; next = iterator.next()) await act(next.value);
    }),
  );
}
