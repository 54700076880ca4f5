import { Refused } from "../../domain/refusals.ts";
import type { Services } from "../../services/services.ts";
import type { GraphQLContext } from "./context.ts";

/**
 * Runs the change of one mutation field. Afterwards, whether it failed or not, nothing that the request has read before
 * is believed any more: the field's own selection, and the mutation fields after it, read anew.
 *
 * Services name the argument that they refuse as they know it; here it is part of the mutation's `input`.
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
