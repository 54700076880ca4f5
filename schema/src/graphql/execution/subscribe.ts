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

/** Where a subscription's result carries the cursor of the event it tells of: a transport needs it, selected or not. */
export const EVENT_CURSOR: unique symbol = Symbol("tierkeep.eventCursor");

/** A symbol property: it survives a spread, and JSON does not see it. */
export interface EventResult extends SizedResult {
  readonly [EVENT_CURSOR]?: string;
}

/** A failure of the source, in the place of an event. */
interface Failure {
  readonly failure: unknown;
}

/**
 * graphql-js's `subscribe` with two differences. Each result has its event's cursor under EVENT_CURSOR; and a source
 * that fails half-way yields one last result that says so by code, where graphql-js would throw at the transport.
 *
 * @param ready is awaited after an event has come and before its result is made: it bounds how many are made at once
 */
export async function subscribe(
  args: ExecutionArgs,
  ready: () => Promise<void> | null = () => null,
): Promise<AsyncGenerator<EventResult, void, void> | ExecutionResult> {
  const prepared = prepareOperation(args);
  return isPrepared(prepared) ? subscribePrepared(prepared, ready) : { errors: prepared };
}

/** The same for a subscription whose variables have been coerced. */
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

// Not an async generator: its return() would wait for a next() that waits for an event.
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
