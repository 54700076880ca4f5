import { randomUUID } from "node:crypto";
import type { Principal } from "@tierkeep/schema/domain/principal";
import { type ErrorCode, Refused } from "@tierkeep/schema/domain/refusals";
import type { Logger } from "pino";
import { ANONYMOUS, type Credentials } from "./credentials.ts";

/** Ids that a client may choose: short, and nothing that could break a log line or a header. */
const SANE_ID = /^[A-Za-z0-9][A-Za-z0-9._:+/=-]{0,127}$/;

/** What one request is known by in the log; filled in as it is understood. */
export interface Call {
  readonly requestId: string;
  /** Where it comes from: the other end of its socket; null: there is no socket. */
  readonly address: string | null;
  /** Those of nobody until somebody has been recognised. */
  credentials: Credentials;
  /** On whose behalf: that of the credentials. */
  readonly principal: Principal;
  /** A GraphQL operation's name or kind, or an HTTP method and route. Never what stands in variables or paths. */
  operation: string;
  status: number;
  /** Why it was refused; null: it was not. */
  code: ErrorCode | null;
  /** What is known of the cause beyond what the client is told, for the log. */
  reason: string | null;
  /** True once something else than the handler says when the call is over: its answer is a stream. */
  streams: boolean;
  /** Has `release` called when the call is over; at once, where it is. */
  atEnd(release: () => void): void;
  /** To be called when the answer is over, with what cut it short; only the first time counts. */
  end(error?: unknown): void;
}

/** What opens calls, each of which is a line of this log when it is over. */
export function callsOn(log: Logger, onInternal: (error: unknown, call: Call) => void) {
  return (headers: Headers, operation: string, address: string | null = null): Call => {
    const begun = performance.now();
    let over = false;
    const releases: (() => void)[] = [];
    const call: Call = {
      requestId: requestIdOf(headers),
      address,
      credentials: ANONYMOUS,
      get principal() {
        return call.credentials.principal;
      },
      operation,
      status: 200,
      code: null,
      reason: null,
      streams: false,
      atEnd(release) {
        if (over) release();
        else releases.push(release);
      },
      end(error) {
        if (over) return;
        over = true;
        for (const release of releases) release();
        if (error instanceof Refused) call.code = error.code;
        else if (error !== undefined && !isAbort(error)) {
          call.code = "INTERNAL";
          onInternal(error, call);
        }
        const { requestId, status, code, reason } = call;
        const durationMs = Math.round((performance.now() - begun) * 10) / 10;
        const line = {
          requestId,
          actor: call.principal.actor,
          operation: call.operation,
          status,
          durationMs,
          ...(code !== null && { code }),
          ...(reason !== null && { reason }),
        };
        log.info(line, "request");
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
