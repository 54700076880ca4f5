import type { DocumentLimits } from "../../domain/limits.ts";
import type { Principal } from "../../domain/principal.ts";
import type { Charge } from "../../services/charge.ts";
import type { Services } from "../../services/services.ts";
import { Reads } from "./reads.ts";

/** What one GraphQL request carries: one HTTP request, or one operation on a WebSocket. */
export interface GraphQLContext {
  readonly services: Services;
  readonly principal: Principal;
  /** Goes into every error's extensions and into the log. */
  readonly requestId: string;
  /** The memory that the request uses. Code that builds large answers charges their bytes here. */
  readonly charge: Charge;
  /** Where an SSE client that reconnects left off (its Last-Event-ID header); wins over a subscription's `after`. */
  readonly lastEventId?: string | undefined;
  /** Aborts when nobody waits for the answer any more. Changes go on all the same. */
  readonly signal?: AbortSignal | undefined;
  /** How much the request may ask for. Default: DEFAULT_LIMITS. */
  readonly limits?: DocumentLimits | undefined;
  readonly reads: Reads;
}

/** A context for one request. Its own properties are all there is to it, so it may be copied into a larger one. */
export function createContext(request: Omit<GraphQLContext, "reads">): GraphQLContext {
  return { ...request, reads: new Reads(request) };
}
