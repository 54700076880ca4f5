import { randomUUID } from "node:crypto";
import type { Principal } from "@tierkeep/schema/domain/principal";
import { type ErrorCode, Refused } from "@tierkeep/schema/domain/refusals";
import type { Logger } from "pino";
import { ANONYMOUS, type Credentials } from "./auth/credentials.ts";
import type { CallCharge, MemoryBudget } from "./limits/memory-budget.ts";
import { addressOwner, type Owner } from "./limits/owner.ts";

/** Request ids that a client may choose: short, and safe in log lines and headers. */
const SANE_ID = /^[A-Za-z0-9][A-Za-z0-9._:+/=-]{0,127}$/;

/** Part of the API that a call belongs to, as a label from a closed set. */
export type Route =
  | "graphql"
  | "events"
  | "websocket"
  | "artifacts"
  | "graphiql"
  | "health"
  | "metrics"
  | "other";

/**
 * A request, a WebSocket or one of its operations, from its arrival to the end of its response. Its fields are
 * set while it is processed.
 *
 * States: open, then ended. `end` ends it; `answered` does too, unless a socket must still send the response.
 * When it ends, it writes its log line, is counted in the metrics, and releases its memory and limits.
 */
export interface Call {
  readonly requestId: string;
  /**
   * The client's address: that of its socket, or the one that a trusted proxy states. Null without a socket.
   */
  readonly address: string | null;
  /** Anonymous until authentication succeeds. */
  credentials: Credentials;
  /** The party that is charged for the call: its address until authentication succeeds. */
  readonly owner: Owner;
  /** The memory that the call uses, from the first byte read to the last byte sent. */
  readonly charge: CallCharge;
  /** Charges the call, and everything it has used so far, to `owner`. */
  assign(owner: Owner): void;
  /** The principal of the credentials. */
  readonly principal: Principal;
  /** Name or kind of a GraphQL operation, or an HTTP method and route. Never values of variables or paths. */
  operation: string;
  /** The HTTP method; empty if the input was not HTTP. */
  readonly method: string;
  /** The part of the API, for metrics. */
  route: Route;
  status: number;
  /** Code of the refusal; null if it was not refused. */
  code: ErrorCode | null;
  /** Details of the cause that are logged but not sent to the client. */
  reason: string | null;
  /** Whether the response is a stream, which calls `answered` at its end. */
  streams: boolean;
  /**
   * Whether the response goes to a socket. The call then ends when it has been sent or the socket has closed.
   */
  hasSocket: boolean;
  /** Charges or refuses bytes of the request's body as they arrive. @throws Refused */
  onBodyBytes: (bytes: number) => void;
  /** Calls `release` when the call ends, or immediately if it has ended. */
  atEnd(release: () => void): void;
  /**
   * Reports that the response is complete, or the error that cut it short. Ends the call, unless a socket
   * must still send it.
   */
  answered(error?: unknown): void;
  /** Ends the call, writes its log line and releases its memory. Only the first call has an effect. */
  end(error?: unknown): void;
}

export interface CallsParts {
  readonly log: Logger;
  readonly budget: MemoryBudget;
  readonly onInternal: (error: unknown, call: Call) => void;
  /** Called when a call has ended. */
  readonly onEnd: (call: Call, seconds: number) => void;
}

/**
 * Returns a function that opens calls. Each call writes one log line when it ends: at level `info`, or
 * `debug` for health probes, which are frequent.
 */
export function callsOn({ log, budget, onInternal, onEnd }: CallsParts) {
  return (headers: Headers, operation: string, address: string | null = null): Call => {
    const startedAt = performance.now();
    let ended = false;
    let failure: unknown;
    let owner = addressOwner(address);
    const charge = budget.charge(owner);
    const releases: (() => void)[] = [charge.release];
    const call: Call = {
      requestId: requestIdOf(headers),
      address,
      credentials: ANONYMOUS,
      get principal() {
        return call.credentials.principal;
      },
      get owner() {
        return owner;
      },
      charge,
      assign(next) {
        owner = next;
        charge.assign(next);
      },
      operation,
      method: operation,
      route: "other",
      status: 200,
      code: null,
      reason: null,
      streams: false,
      hasSocket: false,
      onBodyBytes: () => {},
      atEnd(release) {
        if (ended) release();
        else releases.push(release);
      },
      answered(error) {
        failure ??= error;
        if (!call.hasSocket) call.end();
      },
      end(error = failure) {
        if (ended) return;
        ended = true;
        for (const release of releases) release();
        if (error instanceof Refused) call.code = error.code;
        else if (error !== undefined && !isAbort(error)) {
          call.code = "INTERNAL";
          onInternal(error, call);
        }
        const { requestId, status, code, reason } = call;
        const elapsedMs = performance.now() - startedAt;
        onEnd(call, elapsedMs / 1000);
        const durationMs = Math.round(elapsedMs * 10) / 10;
        const line = {
          requestId,
          actor: call.principal.actor,
          operation: call.operation,
          status,
          durationMs,
          ...(code !== null && { code }),
          ...(reason !== null && { reason }),
        };
        log[call.route === "health" ? "debug" : "info"](line, "request");
      },
    };
    return call;
  };
}

/** Runs `check`, and keeps the cause of its refusal for the log. */
export async function withReason<T>(call: Call, check: () => Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (error) {
    if (error instanceof Refused && error.cause instanceof Error) call.reason = error.cause.message;
    throw error;
  }
}

/** Returns whether the error means that the client has disconnected, which is not a failure. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

/** Returns the client's X-Request-Id if it is valid, otherwise a random id. */
function requestIdOf(headers: Headers): string {
  const given = headers.get("x-request-id");
  return given !== null && SANE_ID.test(given) ? given : randomUUID();
}
