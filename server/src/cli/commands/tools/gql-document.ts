import { REFUSALS, Refused } from "@tierkeep/schema/domain/refusals";
import { ConnectionError } from "@tierkeep/sdk";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { GraphQLError, Kind, type OperationDefinitionNode, OperationTypeNode, parse } from "graphql";
import type { Post } from "../../client-command.ts";
import { exitCodeOf } from "../../exit-codes.ts";
import { withCommandToken } from "../../output/error-text.ts";
import type { Output } from "../../output/output.ts";

export interface DocumentCall {
  readonly document: string;
  readonly variables: object;
  /** Required if the document has several operations. */
  readonly operation: string | undefined;
}

/** A GraphQL result or a problem+json document. Other members are ignored. */
interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly Refusal[];
  readonly code?: unknown;
  readonly detail?: unknown;
}

interface Refusal {
  readonly message?: unknown;
  readonly path?: readonly (string | number)[];
  readonly extensions?: { readonly code?: unknown };
}

const JSON_ANSWER = "application/graphql-response+json, application/json";
const EVENT_STREAM = "text/event-stream";

/** Sends a document and shows the response. Returns the exit code of its first error; 0: none. @throws Refused */
export async function sendDocument(post: Post, call: DocumentCall, output: Output): Promise<number> {
  const { document, variables, operation } = call;
  const { operation: kind, name } = operationOf(document, operation);
  const body = { query: document, variables, operationName: name?.value };
  const response = await post(
    body,
    kind === OperationTypeNode.SUBSCRIPTION ? `${EVENT_STREAM}, ${JSON_ANSWER}` : JSON_ANSWER,
  );
  if (response.headers.get("content-type")?.startsWith(EVENT_STREAM) && response.body) {
    let exitCode = 0;
    for await (const data of eventsOf(response.body)) exitCode ||= show(JSON.parse(data), "line", output);
    return exitCode;
  }
  const answer: Answer | null = await response.json().catch(() => null);
  if (answer?.data === undefined && answer?.errors === undefined && answer?.code === undefined) {
    throw new Refused(
      "UNAVAILABLE",
      `The server responded with HTTP ${response.status} and no GraphQL result. Check that the URL is that of a Tierkeep server's /graphql.`,
    );
  }
  return show(answer, "indented", output);
}

/** @throws Refused */
function operationOf(document: string, wanted: string | undefined): OperationDefinitionNode {
  const all = parsed(document).definitions.filter((each) => each.kind === Kind.OPERATION_DEFINITION);
  const named = wanted === undefined ? all : all.filter(({ name }) => name?.value === wanted);
  const [only, another] = named;
  if (only !== undefined && another === undefined) return only;
  const names = all.map(({ name }) => name?.value ?? "(without a name)").join(", ");
  throw new Refused(
    "BAD_USER_INPUT",
    all.length === 0
      ? "The document has no operation."
      : `Name one of the document's operations with --operation: ${names}.`,
  );
}

/** @throws Refused GRAPHQL_PARSE_FAILED */
function parsed(document: string) {
  try {
    return parse(document);
  } catch (cause) {
    if (!(cause instanceof GraphQLError)) throw cause;
    const { line, column } = cause.locations?.[0] ?? { line: 1, column: 1 };
    throw new Refused(
      "GRAPHQL_PARSE_FAILED",
      `Line ${line}, column ${column}: ${cause.message}`,
      {},
      { cause },
    );
  }
}

async function* eventsOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  const events = body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  try {
    for await (const { event, data } of events) {
      if (event === "complete") return;
      if (event === "next") yield data;
    }
  } catch (cause) {
    if (cause instanceof Error && cause.name === "AbortError") throw cause;
    throw new ConnectionError("The connection to the server was lost.", { cause });
  }
}

function show(answer: Answer, as: "line" | "indented", output: Output): number {
  const { data, errors = [{ message: answer.detail, extensions: { code: answer.code } }] } = answer;
  if (data !== undefined && data !== null) output.data(data, as);
  const refusals = data !== undefined && answer.errors === undefined ? [] : errors;
  for (const { message, path = [], extensions } of refusals) {
    const where = path.length === 0 ? "" : ` (at ${path.join(".")})`;
    output.note(`tierkeep: ${extensions?.code ?? "UNKNOWN"}: ${withCommandToken(String(message))}${where}`);
  }
  const [first] = refusals;
  if (first === undefined) return 0;
  return exitCodeOf({ code: first.extensions?.code }) || REFUSALS.INTERNAL.exit;
}
