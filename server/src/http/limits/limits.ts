import { DEFAULT_LIMITS } from "@tierkeep/schema/domain/limits";
import { MAX_COERCION_ERRORS } from "@tierkeep/schema/graphql/execution/operation";
import { MAX_LIST_ENTRIES, MAX_UNKNOWN_FIELDS } from "@tierkeep/schema/graphql/limits/variable-problem";
import type { OwnerKind } from "./owner.ts";
import type { Slices } from "./turns.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

/** Bytes that each principal and address may always use, so other clients cannot cause small requests to be refused. */
export const ALLOWANCE_BYTES = MiB;

/** Largest call that counts as small, in bytes. An eighth of every part is reserved for small calls. */
export const SMALL_BYTES = 64 * KiB;

/** Fractions of the memory budget: for one owner of a kind, and for all owners of that kind together. */
export const MEMORY_PARTS: Readonly<Record<OwnerKind, { readonly one: number; readonly all: number }>> = {
  principal: { one: 1 / 2, all: 1 },
  url: { one: 1 / 8, all: 1 / 4 },
  address: { one: 1 / 8, all: 1 / 4 },
};

/** Bytes charged for each call in addition to its body and response: its headers, streams and timers. */
export const CALL_BYTES = 8 * KiB;

/** Most memory that an upload of any size uses, in bytes. Charged as bytes arrive. */
export const UPLOAD_BYTES = MiB;

/** Memory that a download of any size uses, in bytes. Charged before content is read. */
export const DOWNLOAD_BYTES = 512 * KiB;

/** Most bytes that an unauthenticated client may send on a WebSocket. */
export const MAX_ANONYMOUS_BYTES = 64 * KiB;

/** Most unanswered operations of one WebSocket. At this number the server stops reading from it. */
export const MAX_UNANSWERED = 100;

/** Most unsent bytes of one WebSocket. At this number the server stops reading from it. */
export const MAX_UNSENT_BYTES = MiB;

/**
 * Most repeated selections of a field in a document. Validation compares repeated fields in pairs: a document with
 * 2,000 tokens of them takes half a second. Code generators merge such fields, so real clients send few of them.
 */
export const MAX_REPEATS = 100;

/** Most validation errors in one response. Each further wrong value would take more time. */
export const MAX_VALIDATION_ERRORS = 20;

/**
 * How long GraphQL operations may start before the event loop serves sockets and timers again. One can take
 * longer than all that time, so only one of those that wait starts in each pass.
 */
export const OPERATION_SLICES: Slices = { arrivingMs: 5, waitingMs: 0 };

/** The same for short steps: the start of a request, a piece of a large response. */
export const STEP_SLICES: Slices = { arrivingMs: 20, waitingMs: 20 };

/** A row of the limits table in docs/security.md. */
export interface LimitRow {
  readonly resource: string;
  readonly charged: string;
  readonly limit: string;
  readonly setting: string;
  readonly refusal: string;
}

const { connections, document: documents, usage } = DEFAULT_LIMITS;
const RATE_LIMITED = "RATE_LIMITED; on a WebSocket close code 1013";

/** All limits on the resources of a client. A test compares them with docs/security.md. */
export const LIMITS: readonly LimitRow[] = [
  {
    resource: "memory of requests in progress and of unsent responses",
    charged: "all clients together",
    limit: `${usage.maxHeldBytes / MiB} MiB; while a client waits, an equal share for each`,
    setting: "MAX_HELD_BYTES",
    refusal: RATE_LIMITED,
  },
  {
    resource: "the same",
    charged: "principal",
    limit: `half of the total; at least ${ALLOWANCE_BYTES / MiB} MiB`,
    setting: "",
    refusal: RATE_LIMITED,
  },
  {
    resource: "the same",
    charged: "signed URL; address of an unauthenticated client",
    limit: "an eighth of the total each; a quarter for all signed URLs, a quarter for all addresses",
    setting: "",
    refusal: RATE_LIMITED,
  },
  {
    resource: "tokens of a document",
    charged: "request",
    limit: `${documents.maxTokens}`,
    setting: "MAX_QUERY_TOKENS",
    refusal: "QUERY_TOO_COMPLEX",
  },
  {
    resource: "depth, aliases, directives of a document; repeated selections of a field",
    charged: "request",
    limit: `${documents.maxDepth}, ${documents.maxAliases}, ${documents.maxDirectives}; ${MAX_REPEATS}`,
    setting: "MAX_QUERY_DEPTH, MAX_QUERY_ALIASES, MAX_QUERY_DIRECTIVES",
    refusal: "QUERY_TOO_COMPLEX",
  },
  {
    resource: "cost: about 1 per value, multiplied by the page sizes of its lists, plus 50 per list",
    charged: "request",
    limit: `${documents.maxCost}`,
    setting: "MAX_QUERY_COST",
    refusal: "QUERY_TOO_COMPLEX with cost and limit",
  },
  {
    resource: "operations in one request",
    charged: "request",
    limit: "1",
    setting: "",
    refusal: "BAD_USER_INPUT",
  },
  {
    resource: "reported errors of a document; of its variables",
    charged: "request",
    limit: `${MAX_VALIDATION_ERRORS}; ${MAX_COERCION_ERRORS}`,
    setting: "",
    refusal: "none: the check stops there",
  },
  {
    resource: "body of a GraphQL request; message on a WebSocket",
    charged: "request",
    limit: "6 × the setting + 1 MiB",
    setting: "MAX_INLINE_BYTES",
    refusal: "CONTENT_TOO_LARGE; on a WebSocket close code 1009",
  },
  {
    resource: "content of an upload",
    charged: "request",
    limit: "none",
    setting: "MAX_ARTIFACT_BYTES",
    refusal: "CONTENT_TOO_LARGE",
  },
  {
    resource: "response to a GraphQL request, as JSON",
    charged: "request; also the principal's memory",
    limit: `${documents.maxResponseBytes / MiB} MiB`,
    setting: "MAX_RESPONSE_BYTES",
    refusal: "QUERY_TOO_COMPLEX; RATE_LIMITED for memory",
  },
  {
    resource: "rows scanned by filters, orders and counts",
    charged: "request",
    limit: `${documents.maxScannedRows}; no limit for the first list and the first count`,
    setting: "MAX_SCANNED_ROWS",
    refusal: "QUERY_TOO_COMPLEX",
  },
  {
    resource: "scans: filters, orders and counts without an index",
    charged: "principal",
    limit: "1 at a time, in steps of about 10 ms; principals alternate",
    setting: "",
    refusal: "none: they wait, and stop when the request ends",
  },
  {
    resource: "entries of a list in variables; unknown fields of an input object",
    charged: "request",
    limit: `${MAX_LIST_ENTRIES}; ${MAX_UNKNOWN_FIELDS}`,
    setting: "",
    refusal: "BAD_USER_INPUT",
  },
  {
    resource: "running verifications",
    charged: "tenant; whole store",
    limit: "1; 1",
    setting: "",
    refusal: "CONFLICT",
  },
  {
    resource: "batches of jobs",
    charged: "tenant",
    limit: "1 at a time; tenants alternate",
    setting: "",
    refusal: "none: they wait",
  },
  {
    resource: "stored plans and findings of jobs",
    charged: "tenant",
    limit: "those of the last 100 jobs of each kind",
    setting: "",
    refusal: "none: older ones are deleted",
  },
  {
    resource: "memory of an upload, of a download",
    charged: "principal or signed URL",
    limit: `${UPLOAD_BYTES / MiB} MiB, ${DOWNLOAD_BYTES / KiB} KiB`,
    setting: "",
    refusal: "RATE_LIMITED",
  },
  {
    resource: "requests: sustained rate, burst",
    charged: "principal or signed URL",
    limit: `${usage.requestsPerSecond} per second, ${usage.burst}`,
    setting: "RATE_LIMIT, RATE_LIMIT_BURST",
    refusal: "RATE_LIMITED",
  },
  {
    resource: "concurrent requests, WebSockets and their operations",
    charged: "principal or signed URL",
    limit: `${usage.maxRequestsPerPrincipal}`,
    setting: "MAX_REQUESTS_PER_PRINCIPAL",
    refusal: RATE_LIMITED,
  },
  {
    resource: "subscriptions",
    charged: "principal; all clients together",
    limit: `${usage.maxSubscriptionsPerPrincipal}; ${usage.maxSubscriptions}`,
    setting: "MAX_SUBSCRIPTIONS_PER_PRINCIPAL, MAX_SUBSCRIPTIONS",
    refusal: "RATE_LIMITED",
  },
  {
    resource: "events in flight",
    charged: "connection",
    limit: "1; later events are read from the log afterwards",
    setting: "",
    refusal: "none: they wait",
  },
  {
    resource: "operations that start while the event loop is behind",
    charged: "principal",
    limit: "1 at a time; principals alternate",
    setting: "",
    refusal: "none: they wait",
  },
  {
    resource: "requests that start, handshakes, pieces of large responses while the event loop is behind",
    charged: "address or principal",
    limit: "20 ms in each pass of the event loop; clients alternate",
    setting: "",
    refusal: "none: they wait",
  },
  {
    resource: "unanswered operations, unsent bytes",
    charged: "WebSocket",
    limit: `${MAX_UNANSWERED}, ${MAX_UNSENT_BYTES / MiB} MiB`,
    setting: "",
    refusal: "none: the server stops reading from it",
  },
  {
    resource: "bytes received before connection_init",
    charged: "WebSocket",
    limit: `${MAX_ANONYMOUS_BYTES / KiB} KiB`,
    setting: "",
    refusal: "close code 1009",
  },
  {
    resource: "failed authentication attempts",
    charged: "address",
    limit: `${usage.failedAttemptsPerMinute} per minute`,
    setting: "RATE_LIMIT_FAILED_AUTH",
    refusal: "[RATE_LIMITED without a check](#rejected-credentials)",
  },
  {
    resource: "connections",
    charged: "address; all clients together",
    limit: `${connections.maxConnectionsPerAddress}; ${connections.maxConnections}`,
    setting: "MAX_CONNECTIONS_PER_ADDRESS, MAX_CONNECTIONS",
    refusal: "closed immediately",
  },
  {
    resource: "time to send the headers; pause within a body, and its rate",
    charged: "connection",
    limit: `${connections.requestTimeoutMs / 1_000} s; ${connections.requestTimeoutMs / 1_000} s, 1 KiB per second`,
    setting: "REQUEST_TIMEOUT_SECONDS",
    refusal: "status 408 or an error, then closed",
  },
  {
    resource: "idle connection; response that the client does not read",
    charged: "connection",
    limit: `${connections.idleTimeoutMs / 1_000} s`,
    setting: "IDLE_TIMEOUT_SECONDS",
    refusal: "closed",
  },
];

/** Returns the limits as the Markdown table of docs/security.md. */
export function limitsTable(rows: readonly LimitRow[] = LIMITS): string {
  const cells = rows.map(({ resource, charged, limit, setting, refusal }) => [
    resource,
    charged,
    limit,
    setting === "" ? "–" : setting.replaceAll(/[A-Z_]{3,}/g, "`$&`"),
    refusal,
  ]);
  const head = ["resource", "charged to", "limit", "setting", "when exceeded"];
  return [head, head.map(() => "---"), ...cells].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
