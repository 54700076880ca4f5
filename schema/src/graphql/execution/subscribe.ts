import {
  createSourceEventStream,
  type ExecutionArgs,
  type ExecutionResult,
  executeSubscriptionEvent,
  mapSourceToResponseEvent,
  type ValidatedSubscriptionArgs,
} from "graphql";
import type { LoggedEvent } from "../../services/events.ts";
import { toGraphQLError } from "../errors.ts";
import type { GraphQLContext } from "./context.ts";
import { type SizedResult, withinBudget } from "./execute-operation.ts";
import { isPrepared, type PreparedOperation, prepareOperation } from "./operation.ts";

/**
 * Property of a subscription's result with the cursor of its event. A transport needs it even if the document
 * does not select it.
 */
export const EVENT_CURSOR: unique symbol = Symbol("tierkeep.eventCursor");

/** A result with its event's cursor. A symbol: an object spread copies it, and JSON.stringify omits it. */
export interface EventResult extends SizedResult {
  readonly [EVENT_CURSOR]?: string;
}

/** A failure of the source, delivered as the last event. */
interface Failure {
  readonly failure: unknown;
}

/**
 * Subscribes like graphql-js, with two differences. Each result has its event's cursor under EVENT_CURSOR. If
 * the source fails, the stream ends with a result that contains the error with its code; graphql-js would
 * throw instead.
 *
 * @param ready awaited after each event, before its result is computed; it limits the number of concurrent
 * results
 */
export async function subscribe(
  args: ExecutionArgs,
  ready: () => Promise<void> | null = () => null,
): Promise<AsyncGenerator<EventResult, void, void> | ExecutionResult> {
  const prepared = prepareOperation(args);
  return isPrepared(prepared) ? subscribePrepared(prepared, ready) : { errors: prepared };
}

/** Subscribes with an operation whose variables are already coerced. */
export async function subscribePrepared(
  prepared: PreparedOperation,
  ready: () => Promise<void> | null = () => null,
): Promise<AsyncGenerator<EventResult, void, void> | ExecutionResult> {
  const checked = prepared as ValidatedSubscriptionArgs;
  const source = await createSourceEventStream(checked);
  if (!(Symbol.asyncIterator in source)) return source;
  return mapSourceToResponseEvent(checked, endingWithFailure(source), (one) => {
    const wait = ready();
    return wait === null ? toResult(one) : wait.then(() => toResult(one));
  });
}

function toResult(args: ValidatedSubscriptionArgs): ExecutionResult | Promise<ExecutionResult> {
  const event = args.rootValue as LoggedEvent | Failure;
  if ("failure" in event) {
    return {
      data: null,
      errors: [toGraphQLError(event.failure, (args.contextValue as GraphQLContext).requestId)],
    };
  }
  const result = executeSubscriptionEvent(args);
  const sized = (done: ExecutionResult): EventResult => ({
    ...withinBudget(done, args),
    [EVENT_CURSOR]: event.cursor,
  });
  return "then" in result ? result.then(sized) : sized(result);
}

// Not an async generator: its return() would wait for a pending next(), and so for the next event.
function endingWithFailure(source: AsyncIterable<unknown>): AsyncIterableIterator<unknown> {
  const iterator = source[Symbol.asyncIterator]();
  let failed = false;
  return {
    async next() {
      if (failed) return { done: true, value: undefined };
      try {
        return await iterator.next();
      } catch (failure) {
        failed = true;
        return { done: false, value: { failure } satisfies Failure };
      }
    },
    async return() {
      await iterator.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
