import { Refused } from "@tierkeep/schema/domain/refusals";
import { type ExecutionArgs, type ExecutionResult, GraphQLError } from "graphql";
import { CloseCode, makeServer, type SubscribePayload } from "graphql-ws";
import type { WebSocket } from "ws";
import { onLapse, requireValid } from "../auth/credentials.ts";
import type { Call } from "../call.ts";
import { answerJson, isLarge } from "../graphql/answer-json.ts";
import { formatted, presentable } from "../graphql/graphql-result.ts";
import type { Handler } from "../handler.ts";
import { OneAtATime } from "../limits/one-at-a-time.ts";
import { WrittenResults } from "./websocket-results.ts";

/**
 * Close codes and reasons for invalid or ended credentials, and for a principal over its limits. (4429 would
 * mean that the client sent connection_init more than once.)
 */
const CLOSINGS = {
  UNAUTHENTICATED: [CloseCode.Unauthorized, "Unauthorized"],
  RATE_LIMITED: [1013, "Too many connections or requests. Try again later"],
} as const;

/** An operation of a socket, from its subscribe message until it has ended completely. */
export interface Operation {
  readonly call: Call;
  /** Aborts when the client completes the operation or its socket closes. */
  readonly cancellation: AbortController;
  /** Whether it has become a running subscription. Until then, its socket counts it as unanswered. */
  isSubscription: boolean;
}

/**
 * One WebSocket and its operations.
 *
 * States of the socket:
 * - anonymous: until connection_init succeeds
 * - authenticated: accepts operations
 * - closed: its operations are aborted
 *
 * It closes when the client or the server closes it, its credentials are invalid or expire, or it exceeds a
 * limit.
 *
 * States of an operation:
 * - unanswered: from its subscribe message
 * - subscribed: sends events (subscriptions only)
 * - ended: after its last result, or once an abort has stopped its work
 */
export class SocketState {
  readonly socket: WebSocket;
  readonly headers: Headers;
  /** The socket's own call while it is open. Anonymous until its connection_init. */
  readonly call: Call;
  /** Operations by the client's ids. An id is free again when its operation has ended. */
  readonly operations = new Map<string, Operation>();
  /** All subscriptions of a socket share one event in flight; the others wait in the log. */
  readonly inFlight = new OneAtATime();
  /** Results that are serialized already. */
  readonly results = new WrittenResults();
  /** The operation that the current message has started. */
  #started: { readonly id: string; readonly operation: Operation } | null = null;
  /** Stops waiting for the credentials to end. */
  stopLapseTimer: () => void = () => {};

  constructor(socket: WebSocket, headers: Headers, call: Call) {
    this.socket = socket;
    this.headers = headers;
    this.call = call;
  }

  /** Number of operations without a result that are not running subscriptions. */
  get unanswered(): number {
    let count = 0;
    for (const { isSubscription } of this.operations.values()) if (!isSubscription) count += 1;
    return count;
  }

  begin(id: string, call: Call): Operation {
    const operation = { call, cancellation: new AbortController(), isSubscription: false };
    this.operations.set(id, operation);
    this.#started = { id, operation };
    return operation;
  }

  /** Passes a message to the protocol. Ends the operation that it starts once the protocol is done with it. */
  async process(message: string, handle: (message: string) => Promise<void>): Promise<void> {
    const completed = completedBy(message);
    if (completed !== null) this.operations.get(completed)?.cancellation.abort();
    this.#started = null;
    // The protocol starts an operation before its first await.
    const processed = handle(message);
    const started = this.#started as { readonly id: string; readonly operation: Operation } | null;
    try {
      await processed;
    } finally {
      if (started !== null) {
        started.operation.call.end();
        this.operations.delete(started.id);
      }
    }
  }

  /** Aborts all operations. Their calls end once their work has stopped. */
  close(): void {
    this.stopLapseTimer();
    for (const { cancellation } of this.operations.values()) cancellation.abort();
    this.call.end();
  }
}

/** Returns the id in a message of type complete; null for other messages. Such messages are short. */
function completedBy(message: string): string | null {
  if (message.length > 1_000 || !message.includes('"complete"')) return null;
  try {
    const { type, id } = JSON.parse(message) as { readonly type?: unknown; readonly id?: unknown };
    return type === "complete" && typeof id === "string" ? id : null;
  } catch {
    return null;
  }
}

/** Returns the protocol graphql-transport-ws on top of the handler. */
export function graphqlProtocol(
  handler: Handler,
  closeAfterResults: (socket: WebSocket, code: number, reason: string) => void,
) {
  type Enveloped = ReturnType<Handler["yoga"]["getEnveloped"]>;
  const envelopedOf = new WeakMap<object, Enveloped>();
  /** Operations by their messages, because a client may use one id for several. */
  const operationOf = new WeakMap<SubscribePayload, Operation>();
  const present = (result: ExecutionResult, call: Call) =>
    presentable(result, call, (error) => handler.onInternal(error, call));

  return makeServer<Record<string, unknown>, SocketState>({
    connectionInitWaitTimeout: 10_000,
    async onConnect({ extra, connectionParams }) {
      const { call, headers, socket } = extra;
      try {
        await handler.identify(call, authorizationOf(connectionParams) ?? headers.get("authorization"));
        handler.begin(call);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        call.end(error);
        const [code, reason] = CLOSINGS[error.code === "UNAUTHENTICATED" ? error.code : "RATE_LIMITED"];
        socket.close(code, reason);
        return false;
      }
      if (socket.readyState !== socket.OPEN) return false;
      extra.stopLapseTimer = onLapse(call.credentials, () =>
        closeAfterResults(socket, ...CLOSINGS.UNAUTHENTICATED),
      );
      return true;
    },
    async onSubscribe({ extra }, id, payload) {
      if (extra.operations.has(id)) {
        extra.socket.close(CloseCode.SubscriberAlreadyExists, `Subscriber for ${id} already exists`);
        return [new GraphQLError("This id is in use.")];
      }
      const call = handler.openCall(extra.headers, "websocket", extra.call.address ?? undefined);
      call.route = "websocket";
      call.credentials = extra.call.credentials;
      call.assign(extra.call.owner);
      const operation = extra.begin(id, call);
      operationOf.set(payload, operation);
      const { query, variables, operationName } = payload;
      const params = { query, variables: variables ?? undefined, operationName: operationName || undefined };
      const signal = AbortSignal.any([handler.ending, operation.cancellation.signal]);
      const context = { call, signal, inFlight: extra.inFlight, params };
      const enveloped = handler.yoga.getEnveloped(context as never);
      try {
        requireValid(call.credentials);
        handler.begin(call);
        await handler.turn(call);
        signal.throwIfAborted();
        const document = enveloped.parse(query);
        const problems = enveloped.validate(enveloped.schema, document);
        if (problems.length > 0) return problems as readonly GraphQLError[];
        const args: ExecutionArgs = {
          schema: enveloped.schema,
          document,
          variableValues: variables ?? null,
          operationName: operationName || null,
          contextValue: await enveloped.contextFactory(),
        };
        envelopedOf.set(args, enveloped);
        return args;
      } catch (error) {
        return [
          error instanceof GraphQLError
            ? error
            : new GraphQLError("refused", { originalError: error as Error }),
        ];
      }
    },
    execute: (args) => (envelopedOf.get(args) as Enveloped).execute(args),
    subscribe: (args) => (envelopedOf.get(args) as Enveloped).subscribe(args),
    onOperation(_context, _id, payload, _args, result) {
      const operation = operationOf.get(payload);
      if (operation !== undefined && Symbol.asyncIterator in result) operation.isSubscription = true;
    },
    async onNext({ extra }, _id, payload, _args, result) {
      const shown = formatted(
        present(result as ExecutionResult, (operationOf.get(payload) as Operation).call),
      );
      if (!isLarge(result as ExecutionResult)) return shown;
      return extra.results.keep(await answerJson(shown, result as ExecutionResult)) as typeof shown;
    },
    onError(_context, _id, payload, errors) {
      const operation = operationOf.get(payload);
      if (operation === undefined) return;
      return formatted(present({ errors: errors as readonly GraphQLError[] }, operation.call)).errors;
    },
  });
}

/** Returns the authorization in connection_init. Browsers cannot set headers of WebSockets. */
function authorizationOf(params: Readonly<Record<string, unknown>> | undefined): string | null {
  const [, given] =
    Object.entries(params ?? {}).find(([name]) => name.toLowerCase() === "authorization") ?? [];
  return typeof given === "string" ? given : null;
}
