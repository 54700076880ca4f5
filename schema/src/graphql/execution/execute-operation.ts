import { type ExecutionResult, executeRootSelectionSet, GraphQLError, OperationTypeNode } from "graphql";
import type { GraphQLContext } from "./context.ts";
import type { PreparedOperation } from "./operation.ts";
import type { Reads } from "./reads.ts";

/**
 * Property of a result with the approximate size of its JSON in bytes. A symbol: an object spread copies it,
 * and JSON.stringify omits it.
 */
export const ANSWER_BYTES: unique symbol = Symbol("tierkeep.answerBytes");

/** A result with its size in bytes; undefined if unknown. */
export interface SizedResult extends ExecutionResult {
  readonly [ANSWER_BYTES]?: number;
}

/**
 * Executes a query or a mutation. Its variables are already coerced. The response stays within the byte limit of a
 * request.
 */
export function executeOperation(prepared: PreparedOperation): SizedResult | Promise<SizedResult> {
  const result = executeRootSelectionSet(prepared);
  return result instanceof Promise
    ? result.then((done) => withinBudget(done, prepared))
    : withinBudget(result as ExecutionResult, prepared);
}

/**
 * Returns the result with its size. If the response exceeded its budget, the result is one error without
 * data: every later field has failed with the same refusal. A mutation keeps its data, because its changes
 * are committed.
 */
export function withinBudget(
  result: ExecutionResult,
  { contextValue, operation }: PreparedOperation,
): SizedResult {
  const { answer } = (contextValue as GraphQLContext).reads as Reads;
  const { refused } = answer;
  if (refused === null || operation.operation === OperationTypeNode.MUTATION) {
    return { ...result, [ANSWER_BYTES]: answer.bytes };
  }
  const error = result.errors?.find(({ originalError }) => originalError === refused);
  return {
    data: null,
    errors: [error ?? new GraphQLError(refused.message, { originalError: refused })],
    [ANSWER_BYTES]: 0,
  };
}
