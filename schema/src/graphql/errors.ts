import { GraphQLError, Kind } from "graphql";
import { type ErrorCode, REFUSALS, type RefusalFacts, Refused } from "../domain/refusals.ts";
import { jobGlobalId } from "./types/global-ids.ts";

/** What `extensions` of every error holds; its jobId is a global id. */
interface ErrorExtensions extends RefusalFacts {
  readonly code: ErrorCode;
  /** Finds the log lines of the request. */
  readonly requestId: string;
}

const FACTS = ["argument", "tier", "checksum", "jobId", "retryAfterSeconds", "outcome"] as const;

/** graphql-js prints the value it refused into its message, and that may be a whole content. */
const MAX_MESSAGE_LENGTH = 1000;

const INTERNAL_MESSAGE = "The server failed on this. Its log has the cause under this requestId.";

/** What has been through here, and may come again: from a subscription's source and from its transport. */
const shaped = new WeakSet<GraphQLError>();

/** What the nodes of an error about an argument's value are; errors about what a resolver returned have fields. */
const VALUE_KINDS: ReadonlySet<string> = new Set([
  Kind.VARIABLE,
  Kind.INT,
  Kind.FLOAT,
  Kind.STRING,
  Kind.BOOLEAN,
  Kind.NULL,
  Kind.ENUM,
  Kind.LIST,
  Kind.OBJECT,
  Kind.OBJECT_FIELD,
]);

/**
 * Whatever was thrown, or found wrong, anywhere between a document's text and its answer, as the error that a client
 * may see: with `code` and `requestId` in its extensions, and a refusal's facts.
 *
 * Only what was meant for clients keeps its message: refusals, and what graphql-js says of documents, variables and
 * arguments. Everything else becomes INTERNAL and keeps the original in `originalError` (which is never serialised), so
 * that it can be logged. Errors that have been through here before stay as they are.
 */
export function toGraphQLError(error: unknown, requestId: string): GraphQLError {
  const located = error instanceof GraphQLError ? error : undefined;
  const refused = refusalIn(error);
  if (refused !== null) {
    const { jobId, ...facts } = refused.facts;
    return rebuilt(located, refused.message, {
      code: refused.code,
      requestId,
      ...facts,
      ...(jobId === undefined ? {} : { jobId: jobGlobalId(jobId) }),
    });
  }
  if (located === undefined)
    return rebuilt(undefined, INTERNAL_MESSAGE, { code: "INTERNAL", requestId }, error);
  if (shaped.has(located)) return located;
  const code = codeOf(located);
  if (code !== "INTERNAL") return rebuilt(located, located.message, { ...factsOf(located), code, requestId });
  return rebuilt(located, INTERNAL_MESSAGE, { code, requestId }, located.originalError ?? located);
}

/** A refusal, however deep graphql-js has wrapped it. */
function refusalIn(error: unknown): Refused | null {
  let inner = error;
  while (inner instanceof GraphQLError && inner.originalError !== undefined) inner = inner.originalError;
  return inner instanceof Refused ? inner : null;
}

function codeOf(error: GraphQLError): ErrorCode {
  const isForClients = madeByGraphQL(error);
  const given = error.extensions.code;
  if (isForClients && typeof given === "string" && Object.hasOwn(REFUSALS, given)) return given as ErrorCode;
  const status = httpStatusOf(error);
  if (status !== undefined) return codeOfStatus(status);
  if (!isForClients) return "INTERNAL";
  const kind = error.nodes?.[0]?.kind;
  if (error.path !== undefined) {
    return kind !== undefined && VALUE_KINDS.has(kind) ? "BAD_USER_INPUT" : "INTERNAL";
  }
  // Without nodes but with a place in the text, there is no syntax tree; without either, it is about the request:
  // no such operation, too many bad variables.
  if (kind === undefined) return error.source === undefined ? "BAD_USER_INPUT" : "GRAPHQL_PARSE_FAILED";
  // Validation speaks of variables too, but only coercion has a cause: the value's own error.
  const isCoercion = kind === Kind.VARIABLE_DEFINITION && error.originalError !== undefined;
  return isCoercion ? "BAD_USER_INPUT" : "GRAPHQL_VALIDATION_FAILED";
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 413) return "CONTENT_TOO_LARGE";
  return status < 500 ? "BAD_USER_INPUT" : "INTERNAL";
}

function factsOf({ extensions }: GraphQLError): RefusalFacts {
  return Object.fromEntries(
    FACTS.filter((fact) => fact in extensions).map((fact) => [fact, extensions[fact]]),
  );
}

/** What a transport has already decided: its errors carry the status to answer with. */
function httpStatusOf(error: GraphQLError): number | undefined {
  const http = error.extensions.http as { readonly status?: unknown } | undefined;
  return typeof http?.status === "number" && http.status >= 400 ? http.status : undefined;
}

/** True unless something else than graphql-js or a scalar threw it. */
function madeByGraphQL(error: GraphQLError): boolean {
  let inner: Error | undefined = error;
  while (inner instanceof GraphQLError) inner = inner.originalError;
  return inner === undefined;
}

/** A new error at the same place. */
function rebuilt(
  from: GraphQLError | undefined,
  message: string,
  extensions: ErrorExtensions,
  originalError?: unknown,
): GraphQLError {
  const http = from?.extensions.http;
  const error = new GraphQLError(
    message.length > MAX_MESSAGE_LENGTH ? `${message.slice(0, MAX_MESSAGE_LENGTH)}…` : message,
    {
      nodes: from?.nodes,
      source: from?.source,
      positions: from?.positions,
      path: from?.path,
      originalError: originalError instanceof Error ? originalError : undefined,
      // What a transport put there for itself; it takes it out again.
      extensions: http === undefined ? { ...extensions } : { ...extensions, http },
    },
  );
  shaped.add(error);
  return error;
}
