import { type ExecutionResult, executeRootSelectionSet, GraphQLError, OperationTypeNode } from "graphql";
import type { GraphQLContext } from "./context.ts";
import type { PreparedOperation } from "./operation.ts";
import type { Reads } from "./reads.ts";

/** Where a result carries about how many bytes its JSON has. A symbol property: it survives a spread, and JSON leaves it out. */
export const ANSWER_BYTES: unique symbol = Symbol("tierkeep.answerBytes");

/** A result with its size; undefined: unknown. */
export interface SizedResult extends ExecutionResult {
  readonly [ANSWER_BYTES]?: number;
}

/** Executes a query or a mutation whose variables have been coerced. Its answer has at most the bytes that a request may return. */
export function executeOperation(prepared: PreparedOperation): SizedResult | Promise<SizedResult> {
  const result = executeRootSelectionSet(prepared);
  return result instanceof Promise
    ? result.then((done) => withinBudget(done, prepared))
    : withinBudget(result as ExecutionResult, prepared);
}

/**
 * The result, with its size. An answer that was refused half-way is one error and no data: every field after it has
 * failed with the same refusal. A mutation keeps its data, since its changes stand.
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
