import type { Services } from "../services/services.ts";
import type { GraphQLContext } from "./context.ts";

/**
 * Runs the change of one mutation field. Afterwards, whether it failed or not, nothing that the request has read before
 * is believed any more: the field's own selection, and the mutation fields after it, read anew.
 */
export async function changing<T>(
  context: GraphQLContext,
  change: (services: Services) => Promise<T>,
): Promise<T> {
  try {
    return await change(context.services);
  } finally {
    context.reads.forget();
  }
}
