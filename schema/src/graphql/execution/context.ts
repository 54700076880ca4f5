import type { DocumentLimits } from "../../domain/limits.ts";
import type { Principal } from "../../domain/principal.ts";
import type { Charge } from "../../services/charge.ts";
import type { Services } from "../../services/services.ts";
import { Reads } from "./reads.ts";

/** The context of one GraphQL request: one HTTP request, or one operation on a WebSocket. */
export interface GraphQLContext {
  readonly services: Services;
  readonly principal: Principal;
  /** Part of every error's extensions and of the log. */
  readonly requestId: string;
  /** The memory that the request uses. Code that builds large responses charges their bytes here. */
  readonly charge: Charge;
  /**
   * The Last-Event-ID header of a reconnecting SSE client: the cursor of its last event. Overrides a
   * subscription's `after`.
   */
  readonly lastEventId?: string | undefined;
  /** Aborts when the client no longer waits for the response. Changes continue nevertheless. */
  readonly signal?: AbortSignal | undefined;
  /** Limits of the request's document. Default: DEFAULT_LIMITS. */
  readonly limits?: DocumentLimits | undefined;
  readonly reads: Reads;
}

/**
 * Returns a context for one request. It has only own properties, so a caller may spread it into a larger
 * object.
 */
export function createContext(request: Omit<GraphQLContext, "reads">): GraphQLContext {
  return { ...request, reads: new Reads(request) };
}
