import {
  type ExecutionArgs,
  type GraphQLError,
  type ValidatedExecutionArgs,
  validateExecutionArgs,
} from "graphql";
import { variableProblem } from "../limits/variable-problem.ts";

/** Problems of variables that one answer tells. Coercion stops there, so that a large wrong list costs no more than a small one. */
export const MAX_COERCION_ERRORS = 5;

/**
 * An operation that is ready to be executed: its variables have been coerced, once. Cost, limits and execution all use
 * these values.
 */
export type PreparedOperation = ValidatedExecutionArgs;

/** Coerces an operation's variables. Returns the errors where there is no such operation, or its variables do not fit. */
export function prepareOperation(args: ExecutionArgs): PreparedOperation | readonly GraphQLError[] {
  const problem = variableProblem(args);
  if (problem !== null) return [problem];
  return validateExecutionArgs({ ...args, options: { maxCoercionErrors: MAX_COERCION_ERRORS } });
}

export function isPrepared(
  prepared: PreparedOperation | readonly GraphQLError[],
): prepared is PreparedOperation {
  return "schema" in prepared;
}
