import { randomUUID } from "node:crypto";
import type { Principal } from "@tierkeep/schema/domain/principal";
import { type ErrorCode, Refused } from "@tierkeep/schema/domain/refusals";
import type { Logger } from "pino";
import { ANONYMOUS, type Credentials } from "./auth/credentials.ts";
import type { CallCharge, MemoryBudget } from "./limits/memory-budget.ts";
import { addressOwner, type Owner } from "./limits/owner.ts";

/** Ids that a client may choose: short, and nothing that could break a log line or a header. */
const SANE_ID = /^[A-Za-z0-9][A-Za-z0-9._:+/=-]{0,127}$/;

/** Part of HTTP that a call belongs to, as a label: a closed set, whatever clients send. */
export type Route =
  | "graphql"
  | "events"
  | "websocket"
  | "artifacts"
  | "graphiql"
  | "health"
  | "metrics"
  | "other";

/** What one request is known by in the log; filled in as it is understood. */
export interface Call {
  readonly requestId: string;
  /** The client's address: the other end of its socket, or what a trusted proxy says of it; null: there is no socket. */
  readonly address: string | null;
  /** Anonymous until authentication succeeds. */
  credentials: Credentials;
  /** Who is charged for the call: its address, until authentication succeeds. */
  readonly owner: Owner;
  /** The memory that the call uses, from the first byte read until the last byte sent. */
  readonly charge: CallCharge;
  /** Charges the call, and everything that it has used so far, to `owner`. */
  assign(owner: Owner): void;
  /** On whose behalf: that of the credentials. */
  readonly principal: Principal;
  /** A GraphQL operation's name or kind, or an HTTP method and route. Never what stands in variables or paths. */
  operation: string;
  /** The HTTP method; empty: what came was no HTTP. */
  readonly method: string;
  /** The part of HTTP that it belongs to, for metrics. */
  route: Route;
  status: number;
  /** Why it was refused; null: it was not. */
  code: ErrorCode | null;
  /** What is known of the cause beyond what the client is told, for the log. */
  reason: string | null;
  /** True: the answer is a stream, which calls `answered` at its end. */
  streams: boolean;
  /** True: the answer goes to a socket. The call ends when the answer has been sent or the socket has closed. */
  hasSocket: boolean;
  /** Charges or refuses bytes of the request's body as they arrive from the socket. @throws Refused */
  onBodyBytes: (bytes: number) => void;
  /** Calls `release` when the call ends, or at once if it has ended. */
  atEnd(release: () => void): void;
  /** Says that the answer is complete, or which error cut it short. Ends the call, unless a socket has yet to send it. */
  answered(error?: unknown): void;
  /** Ends the call, writes its log line and gives back its memory. Only the first time counts. */
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
 * Returns the function that opens calls. Each call writes one line to the log when it ends: at the level `info`, or
 * `debug` for health probes, which come every few seconds.
 */
export function callsOn({ log, budget, onInternal, onEnd }: CallsParts) {
  return (headers: Headers, operation: string, address: string | null = null): Call => {
    const begun = performance.now();
    let over = false;
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
        if (over) release();
        else releases.push(release);
      },
      answered(error) {
        failure ??= error;
        if (!call.hasSocket) call.end();
      },
      end(error = failure) {
        if (over) return;
        over = true;
        for (const release of releases) release();
        if (error instanceof Refused) call.code = error.code;
        else if (error !== undefined && !isAbort(error)) {
          call.code = "INTERNAL";
          onInternal(error, call);
        }
        const { requestId, status, code, reason } = call;
        const elapsedMs = performance.now() - begun;
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

/** Keeps for the log what is not told to the client. */
export async function withReason<T>(call: Call, recognise: () => Promise<T>): Promise<T> {
  try {
    return await recognise();
  } catch (error) {
    if (error instanceof Refused && error.cause instanceof Error) call.reason = error.cause.message;
    throw error;
  }
}

/** Nobody has failed: whoever asked has gone. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

/** The client's own X-Request-Id where it is a sane one, else a random id. */
function requestIdOf(headers: Headers): string {
  const given = headers.get("x-request-id");
  return given !== null && SANE_ID.test(given) ? given : randomUUID();
}
