import { DEFAULT_LIMITS } from "@tierkeep/schema/domain/limits";
import { MAX_COERCION_ERRORS } from "@tierkeep/schema/graphql/execution/operation";
import { MAX_LIST_ENTRIES, MAX_UNKNOWN_FIELDS } from "@tierkeep/schema/graphql/limits/variable-problem";
import type { OwnerKind } from "./owner.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

/** What one principal or address may always use: small requests are never refused because of what others use. */
export const ALLOWANCE_BYTES = MiB;

/** A call that uses no more than this is small. Large calls leave an eighth of every part to the small ones. */
export const SMALL_BYTES = 64 * KiB;

/** The part of all memory that one owner of a kind, and all owners of that kind together, may use. */
export const MEMORY_PARTS: Readonly<Record<OwnerKind, { readonly one: number; readonly all: number }>> = {
  principal: { one: 1 / 2, all: 1 },
  url: { one: 1 / 8, all: 1 / 4 },
  address: { one: 1 / 8, all: 1 / 4 },
};

/** What every call uses beside its body and its answer: its headers, streams and timers. */
export const CALL_BYTES = 8 * KiB;

/** The most memory that an upload uses at a time, however large it is. It is charged as its bytes arrive. */
export const UPLOAD_BYTES = MiB;

/** The same for a download. It is charged before anything is read. */
export const DOWNLOAD_BYTES = 512 * KiB;

/** Bytes that a client may send on a WebSocket before it has been authenticated. */
export const MAX_ANONYMOUS_BYTES = 64 * KiB;

/** Operations of one WebSocket that may wait for their answers before nothing more is read from it. */
export const MAX_UNANSWERED = 100;

/** Unsent bytes of one WebSocket before nothing more is read from it. */
export const MAX_UNSENT_BYTES = MiB;

/**
 * How often a document may select a field again where it is selected already. Validation compares each with each: two
 * thousand tokens of nothing else keep it busy for half a second, and generators merge such fields.
 */
export const MAX_REPEATS = 100;

/** Problems of a document that one answer names. Finding more would take time for each wrong value. */
export const MAX_VALIDATION_ERRORS = 20;

/** How long operations may start one after the other before the event loop serves sockets and timers, ms. */
export const SLICE_MS = 5;

/** One row of the table in docs/security.md. */
export interface LimitRow {
  readonly resource: string;
  readonly charged: string;
  readonly limit: string;
  readonly setting: string;
  readonly refusal: string;
}

const { connections, document: documents, usage } = DEFAULT_LIMITS;
const RATE_LIMITED = "RATE_LIMITED; on a WebSocket close code 1013";

/** Every limit on what a client causes from the first byte read until the last byte sent. A test compares the docs. */
export const LIMITS: readonly LimitRow[] = [
  {
    resource: "memory of requests under way and of answers that have not been sent",
    charged: "all clients together",
    limit: `${usage.maxHeldBytes / MiB} MiB; while a client waits, an equal share each`,
    setting: "MAX_HELD_BYTES",
    refusal: RATE_LIMITED,
  },
  {
    resource: "the same",
    charged: "principal",
    limit: `half of it; always at least ${ALLOWANCE_BYTES / MiB} MiB`,
    setting: "",
    refusal: RATE_LIMITED,
  },
  {
    resource: "the same",
    charged: "signed URL; address of a client that has not shown who it is",
    limit: "an eighth of it, and a quarter all of a kind together",
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
    resource: "depth, aliases, directives of a document; fields that it selects again",
    charged: "request",
    limit: `${documents.maxDepth}, ${documents.maxAliases}, ${documents.maxDirectives}; ${MAX_REPEATS}`,
    setting: "MAX_QUERY_DEPTH, MAX_QUERY_ALIASES, MAX_QUERY_DIRECTIVES",
    refusal: "QUERY_TOO_COMPLEX",
  },
  {
    resource: "cost: about one for each value, times the page size of every list around it, and 50 a list",
    charged: "request",
    limit: `${documents.maxCost}`,
    setting: "MAX_QUERY_COST",
    refusal: "QUERY_TOO_COMPLEX, with cost and limit",
  },
  {
    resource: "operations in one request",
    charged: "request",
    limit: "1",
    setting: "",
    refusal: "BAD_USER_INPUT",
  },
  {
    resource: "problems that one answer names: of a document, of variables",
    charged: "request",
    limit: `${MAX_VALIDATION_ERRORS}, ${MAX_COERCION_ERRORS}`,
    setting: "",
    refusal: "the rest is not looked for",
  },
  {
    resource: "body of a GraphQL request, message on a WebSocket",
    charged: "request",
    limit: "six times the setting, and 1 MiB",
    setting: "MAX_INLINE_BYTES",
    refusal: "CONTENT_TOO_LARGE; close code 1009",
  },
  {
    resource: "content of an upload",
    charged: "request",
    limit: "none",
    setting: "MAX_ARTIFACT_BYTES",
    refusal: "CONTENT_TOO_LARGE",
  },
  {
    resource: "an answer to a GraphQL request, as JSON",
    charged: "request; its principal's memory while it is built",
    limit: `${documents.maxResponseBytes / MiB} MiB`,
    setting: "MAX_RESPONSE_BYTES",
    refusal: "QUERY_TOO_COMPLEX, RATE_LIMITED",
  },
  {
    resource: "rows that filters, orders and counts look at",
    charged: "request",
    limit: `${documents.maxScannedRows}; its first list and first count may look at all`,
    setting: "MAX_SCANNED_ROWS",
    refusal: "QUERY_TOO_COMPLEX",
  },
  {
    resource: "scans (filters, orders and counts that no index answers)",
    charged: "principal",
    limit: "1 at a time, in steps of about 10 ms, in turn with other principals",
    setting: "",
    refusal: "none: they wait, and end with their request",
  },
  {
    resource: "entries of a list in variables; unknown fields of an input object",
    charged: "request",
    limit: `${MAX_LIST_ENTRIES}; ${MAX_UNKNOWN_FIELDS}`,
    setting: "",
    refusal: "BAD_USER_INPUT",
  },
  {
    resource: "verifications that run",
    charged: "tenant; the whole store",
    limit: "1; 1",
    setting: "",
    refusal: "CONFLICT",
  },
  {
    resource: "batches of jobs",
    charged: "tenant",
    limit: "1 in turn with other tenants",
    setting: "",
    refusal: "none: they wait",
  },
  {
    resource: "items and findings of jobs that are kept",
    charged: "tenant",
    limit: "those of its last 100 jobs of a kind",
    setting: "",
    refusal: "none: older ones are removed",
  },
  {
    resource: "an upload, a download",
    charged: "principal or signed URL",
    limit: `at most ${UPLOAD_BYTES / MiB} MiB as it arrives, ${DOWNLOAD_BYTES / KiB} KiB`,
    setting: "",
    refusal: "RATE_LIMITED",
  },
  {
    resource: "requests, even rate and burst",
    charged: "principal or signed URL",
    limit: `${usage.requestsPerSecond} a second, ${usage.burst}`,
    setting: "RATE_LIMIT, RATE_LIMIT_BURST",
    refusal: "RATE_LIMITED",
  },
  {
    resource: "requests, WebSockets and their operations under way",
    charged: "principal or signed URL",
    limit: `${usage.maxRequestsPerPrincipal}`,
    setting: "MAX_REQUESTS_PER_PRINCIPAL",
    refusal: RATE_LIMITED,
  },
  {
    resource: "subscriptions",
    charged: "principal; all together",
    limit: `${usage.maxSubscriptionsPerPrincipal}; ${usage.maxSubscriptions}`,
    setting: "MAX_SUBSCRIPTIONS_PER_PRINCIPAL, MAX_SUBSCRIPTIONS",
    refusal: "RATE_LIMITED",
  },
  {
    resource: "events in flight",
    charged: "connection",
    limit: "1; the others wait in the log",
    setting: "",
    refusal: "none: they wait",
  },
  {
    resource: "operations that start while the event loop is late",
    charged: "principal",
    limit: "1 in turn with other principals",
    setting: "",
    refusal: "none: they wait",
  },
  {
    resource: "unanswered operations, unsent bytes",
    charged: "WebSocket",
    limit: `${MAX_UNANSWERED}, ${MAX_UNSENT_BYTES / MiB} MiB`,
    setting: "",
    refusal: "none: nothing more is read from it",
  },
  {
    resource: "bytes before connection_init",
    charged: "WebSocket",
    limit: `${MAX_ANONYMOUS_BYTES / KiB} KiB`,
    setting: "",
    refusal: "close code 1009",
  },
  {
    resource: "failed attempts to authenticate",
    charged: "address",
    limit: `${usage.failedAttemptsPerMinute} a minute`,
    setting: "RATE_LIMIT_FAILED_AUTH",
    refusal: "RATE_LIMITED, [unseen](#what-is-refused-and-when)",
  },
  {
    resource: "connections",
    charged: "address; all together",
    limit: `${connections.maxConnectionsPerAddress}; ${connections.maxConnections}`,
    setting: "MAX_CONNECTIONS_PER_ADDRESS, MAX_CONNECTIONS",
    refusal: "closed at once",
  },
  {
    resource: "time for a request's headers; silence in its body, and its rate",
    charged: "connection",
    limit: `${connections.requestTimeoutMs / 1_000} s; ${connections.requestTimeoutMs / 1_000} s, 1 KiB a second`,
    setting: "REQUEST_TIMEOUT_SECONDS",
    refusal: "status 408 or a refusal, and closed",
  },
  {
    resource: "an idle connection; an answer that its client does not read",
    charged: "connection",
    limit: `${connections.idleTimeoutMs / 1_000} s`,
    setting: "IDLE_TIMEOUT_SECONDS",
    refusal: "closed",
  },
];

/** The table as docs/security.md has it, in Markdown. */
export function limitsTable(rows: readonly LimitRow[] = LIMITS): string {
  const cells = rows.map(({ resource, charged, limit, setting, refusal }) => [
    resource,
    charged,
    limit,
    setting === "" ? "–" : setting.replaceAll(/[A-Z_]{3,}/g, "`$&`"),
    refusal,
  ]);
  const head = ["resource", "who is charged", "limit", "setting", "refusal"];
  return [head, head.map(() => "---"), ...cells].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
