import { randomUUID } from "node:crypto";
import type { Principal } from "@tierkeep/schema/domain/principal";
import type { ErrorCode } from "@tierkeep/schema/domain/refusals";
import type { Credentials } from "./credentials.ts";

/** Ids that a client may choose: short, and nothing that could break a log line or a header. */
const SANE_ID = /^[A-Za-z0-9][A-Za-z0-9._:+/=-]{0,127}$/;

/** What one request is known by in the log; filled in as it is understood. */
export interface Call {
  readonly requestId: string;
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

/** The client's own X-Request-Id where it is a sane one, else a random id. */
export function requestIdOf(headers: Headers): string {
  const given = headers.get("x-request-id");
  return given !== null && SANE_ID.test(given) ? given : randomUUID();
}
