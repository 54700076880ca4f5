import {
  type ExecutionArgs,
  type GraphQLError,
  type ValidatedExecutionArgs,
  validateExecutionArgs,
} from "graphql";
import { variableProblem } from "../limits/variable-problem.ts";

/**
 * Maximum number of variable errors in one response. Coercion stops there, so a large invalid list costs no
 * more than a small one.
 */
export const MAX_COERCION_ERRORS = 5;

/**
 * An operation that is ready for execution: its variables are coerced, once. Cost, limits and execution use
 * these values.
 */
export type PreparedOperation = ValidatedExecutionArgs;

/**
 * Coerces an operation's variables. Returns errors if the operation does not exist or its variables are
 * invalid.
 */
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
