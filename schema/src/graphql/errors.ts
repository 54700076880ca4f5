import { GraphQLError, Kind } from "graphql";
import { type ErrorCode, REFUSALS, type RefusalFacts, Refused } from "../domain/refusals.ts";
import { jobGlobalId } from "./types/global-ids.ts";

/** The `extensions` of every error. Its jobId is a global id. */
interface ErrorExtensions extends RefusalFacts {
  readonly code: ErrorCode;
  /** Identifies the request's log lines. */
  readonly requestId: string;
}

const FACTS = ["argument", "tier", "checksum", "jobId", "retryAfterSeconds", "outcome"] as const;

/**
 * Maximum length of a message. graphql-js prints a rejected value in its message, and the value may be the
 * complete content of an artifact.
 */
const MAX_MESSAGE_LENGTH = 1000;

const INTERNAL_MESSAGE = "The server failed unexpectedly. Its log has the cause under this requestId.";

/**
 * Errors that are already converted. An error of a subscription passes here twice: from its source and from
 * its transport.
 */
const shaped = new WeakSet<GraphQLError>();

/**
 * Node kinds of an error about an argument's value. An error about a resolver's result has field nodes
 * instead.
 */
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
 * Converts an error of parsing, validation or execution into the error that a client may see: with `code`,
 * `requestId` and a refusal's facts in its extensions.
 *
 * Only errors meant for clients keep their message: refusals, and graphql-js's errors about documents,
 * variables and arguments. Every other error becomes INTERNAL and keeps the original in `originalError`,
 * which is never serialised, so that it can be logged. An error that is already converted is returned
 * unchanged.
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

/** Returns the refusal inside an error, however deeply graphql-js has wrapped it; null if there is none. */
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
  // An error without nodes but with a source position is a parse error. Without either, it concerns the
  // request: an unknown operation, or too many invalid variables.
  if (kind === undefined) return error.source === undefined ? "BAD_USER_INPUT" : "GRAPHQL_PARSE_FAILED";
  // Validation also reports variable definitions, but only a coercion error has an original error.
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

/** Returns the HTTP status that a transport has set on its error. */
function httpStatusOf(error: GraphQLError): number | undefined {
  const http = error.extensions.http as { readonly status?: unknown } | undefined;
  return typeof http?.status === "number" && http.status >= 400 ? http.status : undefined;
}

/** Returns true if graphql-js or a scalar threw the error. */
function madeByGraphQL(error: GraphQLError): boolean {
  let inner: Error | undefined = error;
  while (inner instanceof GraphQLError) inner = inner.originalError;
  return inner === undefined;
}

/** Returns a new error with the same nodes, positions and path. */
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
      // The transport set this for itself and removes it again.
      extensions: http === undefined ? { ...extensions } : { ...extensions, http },
    },
  );
  shaped.add(error);
  return error;
}
