import type { DocumentLimits, Limits } from "@tierkeep/schema/domain/limits";
import { REFUSALS, type Refused } from "@tierkeep/schema/domain/refusals";
import { toGraphQLError } from "@tierkeep/schema/graphql/errors";
import { createContext, type GraphQLContext } from "@tierkeep/schema/graphql/execution/context";
import { executeOperation } from "@tierkeep/schema/graphql/execution/execute-operation";
import {
  isPrepared,
  type PreparedOperation,
  prepareOperation,
} from "@tierkeep/schema/graphql/execution/operation";
import { subscribePrepared } from "@tierkeep/schema/graphql/execution/subscribe";
import { schema } from "@tierkeep/schema/graphql/index";
import type { Services } from "@tierkeep/schema/services/services";
import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  NoSchemaIntrospectionCustomRule,
  specifiedRules,
  validate,
} from "graphql";
import { createYoga, type Plugin } from "graphql-yoga";
import { onLapse, unauthenticated } from "../auth/credentials.ts";
import type { Call } from "../call.ts";
import { eventFlight } from "../limits/event-flight.ts";
import { MAX_VALIDATION_ERRORS } from "../limits/limits.ts";
import { OneAtATime } from "../limits/one-at-a-time.ts";
import type { Turns } from "../limits/turns.ts";
import type { Usage } from "../limits/usage.ts";
import { headersOfRefusal } from "../problem.ts";
import { answerJson } from "./answer-json.ts";
import { documentCache } from "./document-cache.ts";
import { parseWithin, requireCostWithin } from "./document-limits.ts";
import { endedEarly, untilAborted } from "./ended-early.ts";
import { requestParser } from "./graphql-request.ts";
import {
  acceptedType,
  EVENT_STREAM,
  formatted,
  GRAPHQL_RESPONSE,
  JSON_TYPE,
  presentable,
  resultResponse,
  transportError,
} from "./graphql-result.ts";
import { eventStreamResponse, single } from "./sse.ts";

export const GRAPHQL_PATH = "/graphql";

/** What the transports add to yoga's context. */
export interface ServerContext {
  readonly call: Call;
  /** The last event that a reconnecting SSE client has received. */
  readonly lastEventId?: string | undefined;
  /** Aborts when the client disconnects or the server shuts down. */
  readonly signal: AbortSignal;
  /** Shared by all subscriptions of a socket, which have one event in flight at a time. */
  readonly inFlight?: OneAtATime | undefined;
}

export interface GraphQLParts {
  readonly services: Services;
  readonly limits: Limits;
  readonly usage: Usage;
  readonly turns: Turns;
  readonly onInternal: (error: unknown, call: Call) => void;
}

export type GraphQLYoga = ReturnType<typeof createGraphQL>["yoga"];

/**
 * GraphQL over POST, GET and server-sent events. WebSockets use the same instance, so they follow the same
 * rules.
 */
export function createGraphQL({ services, limits, usage, turns, onInternal }: GraphQLParts) {
  // Suggestions would reveal the schema's names.
  const hideSuggestions = !limits.surface.introspection;
  const rules = hideSuggestions ? [...specifiedRules, NoSchemaIntrospectionCustomRule] : specifiedRules;
  /** Subscriptions with coerced variables, by the context of their operation. */
  const subscriptions = new WeakMap<object, PreparedOperation>();
  const documentRules: Plugin = {
    onValidate({ setValidationFn }) {
      const options = { hideSuggestions, maxErrors: MAX_VALIDATION_ERRORS };
      setValidationFn((of: GraphQLSchema, document: DocumentNode) => validate(of, document, rules, options));
    },
    onParse({ setParseFn }) {
      setParseFn((source) => parseWithin(limits.document, limits.surface, source));
    },
    onExecute({ args, setExecuteFn, setResultAndStopExecution }) {
      const prepared = preparedWithin(limits.document, { ...args, hideSuggestions });
      if ("errors" in prepared) setResultAndStopExecution(prepared);
      // A change that has started is finished: when a client disconnects, only reads are cancelled.
      else setExecuteFn(() => executeOperation(prepared as PreparedOperation));
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      const { call } = args.contextValue as unknown as ServerContext;
      const prepared = preparedWithin(limits.document, { ...args, hideSuggestions });
      const refused =
        "errors" in prepared ? prepared : refusalOf(() => call.atEnd(usage.subscribe(call.owner)));
      if (refused !== null) setResultAndStopExecution(refused);
      else subscriptions.set(args.contextValue as object, prepared as PreparedOperation);
    },
  };
  const results: Plugin<ServerContext & GraphQLContext> = {
    onParams({ context }) {
      return turns.take((context as unknown as ServerContext).call.owner) ?? undefined;
    },
    onExecute({ args }) {
      nameOperation(args);
    },
    onSubscribe({ args, setSubscribeFn }) {
      nameOperation(args);
      const { signal, call, inFlight } = args.contextValue as unknown as ServerContext;
      setSubscribeFn(async (given: ExecutionArgs) => {
        const flight = eventFlight(call, signal, inFlight ?? new OneAtATime(), turns);
        const source = await subscribePrepared(
          subscriptions.get(given.contextValue as object) as PreparedOperation,
          flight.begin,
        );
        if (!(Symbol.asyncIterator in source)) return source;
        const lapsed = (): ExecutionResult => ({
          data: null,
          errors: [toGraphQLError(unauthenticated("ended during the subscription"), call.requestId)],
        });
        const until = endedEarly<ExecutionResult>(untilAborted(source, signal), (end) =>
          onLapse(call.credentials, () => end(lapsed())),
        );
        return flight.each(until);
      });
    },
    async onResultProcess({ request, result, setResult, setResultProcessor, serverContext }) {
      const { call } = serverContext as unknown as ServerContext;
      const present = (one: ExecutionResult) => presentable(one, call, (error) => onInternal(error, call));
      if (Array.isArray(result)) throw new Error("batching is off");
      const accept = request.headers.get("accept");
      if (Symbol.asyncIterator in result) {
        if (acceptedType(accept, [EVENT_STREAM]) !== null) {
          setResultProcessor(
            (stream) => eventStreamResponse(stream as AsyncIterable<ExecutionResult>, call, present),
            EVENT_STREAM,
          );
          return;
        }
        await result[Symbol.asyncIterator]().return?.();
        result = refusal(
          "BAD_USER_INPUT",
          `A subscription is sent as ${EVENT_STREAM} or over a WebSocket. Accept ${EVENT_STREAM}.`,
          406,
        );
      }
      const type = acceptedType(accept, [GRAPHQL_RESPONSE, JSON_TYPE, EVENT_STREAM]);
      if (type === null) {
        result = refusal(
          "BAD_USER_INPUT",
          `Responses are ${GRAPHQL_RESPONSE}, ${JSON_TYPE} or ${EVENT_STREAM}. Accept one of them.`,
          406,
        );
      }
      const shown = present(result as ExecutionResult);
      setResult(shown);
      setResultProcessor(
        async () =>
          type === EVENT_STREAM
            ? eventStreamResponse(single(shown), call, (one) => one)
            : resultResponse(shown, type ?? JSON_TYPE, call, await answerJson(formatted(shown), shown)),
        type ?? JSON_TYPE,
      );
    },
  };
  const yoga = createYoga<ServerContext, GraphQLContext>({
    schema,
    // The handler has routed the request, with or without the path of PUBLIC_URL.
    graphqlEndpoint: "*",
    context: ({ call, signal, lastEventId }) =>
      createContext({
        services,
        principal: call.principal,
        requestId: call.requestId,
        charge: call.charge,
        limits: limits.document,
        signal,
        lastEventId,
      }),
    plugins: [requestParser, results as unknown as Plugin, documentRules],
    parserAndValidationCache: { documentCache: documentCache(), errorCache: documentCache() },
    // Errors are made presentable with the request's id, which yoga's own masking does not have.
    maskedErrors: false,
    logging: false,
    graphiql: false,
    landingPage: false,
    batching: false,
    multipart: false,
    cors: false,
    maxRequestBodySize: maxRequestBytes(services.limits.maxInlineBytes),
    // The platform's own classes: their streams propagate backpressure to the socket, and in-process callers
    // get real ones.
    fetchAPI: {
      Request,
      Response,
      Headers,
      ReadableStream,
      TransformStream,
      TextEncoder,
      TextDecoder,
      URL,
      URLSearchParams,
    },
  });

  return {
    yoga,
    async fetch(request: Request, context: ServerContext): Promise<Response> {
      context.call.operation = "graphql";
      const response = await yoga.fetch(request, context);
      return response.body === null && response.status >= 400
        ? unprocessed(request, response, context.call)
        : response;
    },
    /** Returns a GraphQL error for a request that was refused before it was read. */
    refuse(request: Request, refused: Refused, call: Call): Response {
      call.operation = "graphql";
      call.code = refused.code;
      const { http: status } = REFUSALS[refused.code];
      const http = { status, headers: headersOfRefusal(refused) };
      const extensions = { code: refused.code, ...refused.facts, http };
      return errorResponse(request, new GraphQLError(refused.message, { extensions }), call);
    },
  };
}

/**
 * Size of a mutation with the largest inline content: JSON may need six bytes per byte (\u0000), plus the
 * rest of the request.
 */
export function maxRequestBytes(maxInlineBytes: number): number {
  return maxInlineBytes * 6 + 2 ** 20;
}

/** Builds the error for a response of yoga without a result, from its status. */
function unprocessed(request: Request, response: Response, call: Call): Response {
  const message =
    response.status === 415
      ? `Send a POST as a JSON object with content type ${JSON_TYPE}.`
      : `The request cannot be processed (${response.status} ${response.statusText}).`;
  const headers = response.headers.has("allow") ? { allow: response.headers.get("allow") ?? "" } : {};
  return errorResponse(request, transportError("BAD_USER_INPUT", message, response.status, headers), call);
}

function errorResponse(request: Request, error: GraphQLError, call: Call): Response {
  const type = acceptedType(request.headers.get("accept"), [GRAPHQL_RESPONSE, JSON_TYPE]) ?? JSON_TYPE;
  return resultResponse(
    presentable({ errors: [error] }, call, () => {}),
    type,
    call,
  );
}

/** Returns the operation with coerced variables, or the result that says why it is not executed. */
function preparedWithin(limits: DocumentLimits, args: ExecutionArgs): PreparedOperation | ExecutionResult {
  const prepared = prepareOperation(args);
  if (!isPrepared(prepared)) return { errors: prepared };
  return refusalOf(() => requireCostWithin(limits, prepared)) ?? prepared;
}

/** Returns the result of an operation that `check` refuses; null if it does not. */
function refusalOf(check: () => void): ExecutionResult | null {
  try {
    check();
    return null;
  } catch (error) {
    return { errors: [new GraphQLError("refused", { originalError: error as Error })] };
  }
}

function refusal(code: "BAD_USER_INPUT", message: string, status: number): ExecutionResult {
  return { errors: [transportError(code, message, status)] };
}

/** Sets the operation's name or kind for the log. */
function nameOperation({ contextValue, document, operationName }: ExecutionArgs): void {
  const { call } = contextValue as ServerContext;
  const operation = getOperationAST(document as DocumentNode, operationName);
  if (operation)
    call.operation = `${operation.operation} ${operation.name?.value.slice(0, 100) ?? "(unnamed)"}`;
}
