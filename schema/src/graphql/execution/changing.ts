import { Refused } from "../../domain/refusals.ts";
import type { Services } from "../../services/services.ts";
import type { GraphQLContext } from "./context.ts";

/**
 * Runs the change of one mutation field. Afterwards, even if it failed, it clears everything that the request
 * has read: the field's selection and the following mutation fields read again.
 *
 * A service names a rejected argument relative to its options; this adds the prefix `input.`.
 */
export async function changing<T>(
  context: GraphQLContext,
  change: (services: Services) => Promise<T>,
): Promise<T> {
  try {
    return await change(context.services);
  } catch (error) {
    throw error instanceof Refused ? withinInput(error) : error;
  } finally {
    context.reads.forget();
  }
}

function withinInput(refused: Refused): Refused {
  const { argument } = refused.facts;
  if (argument === undefined || argument === "input" || argument.startsWith("input.")) return refused;
  const facts = { ...refused.facts, argument: `input.${argument}` };
  return new Refused(refused.code, refused.message, facts, { cause: refused });
}
