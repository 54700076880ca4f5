/** What a refusal code means to HTTP, the command line and the SDK. */
export interface RefusalMeaning {
  /** HTTP status outside GraphQL. An executed GraphQL request is always 200. */
  readonly http: number;
  /** Exit code of the command line. */
  readonly exit: number;
  /** True if the unchanged request may succeed later. */
  readonly retryable: boolean;
  /** False for a reserved code: this version never returns it, but clients already know it. */
  readonly raised: boolean;
  /** One clause for documentation. It completes "the request was rejected because …". */
  readonly means: string;
}

/**
 * The table of all refusals. GraphQL's `extensions.code`, the HTTP status, the exit code of the command line,
 * the SDK's error classes and the documentation are generated from it.
 *
 * Exit codes: 1 unexpected failure, 2 invalid request, 3 not found, 4 conflict with the current state, 5 not
 * allowed, 6 retry later, 7 damaged content, 8 over a limit.
 */
export const REFUSALS = {
  INVALID_IDENTIFIER: {
    http: 400,
    exit: 2,
    retryable: false,
    raised: true,
    means: "a tenant, workflow or artifact id breaks the naming rule",
  },
  BAD_USER_INPUT: {
    http: 400,
    exit: 2,
    retryable: false,
    raised: true,
    means: "an argument is malformed, out of range or contradicts another",
  },
  ARTIFACT_NOT_FOUND: {
    http: 404,
    exit: 3,
    retryable: false,
    raised: true,
    means: "no artifact has this key, or it is not in the given tier",
  },
  NOT_FOUND: { http: 404, exit: 3, retryable: false, raised: true, means: "nothing has this id or path" },
  SAME_TIER: {
    http: 409,
    exit: 4,
    retryable: false,
    raised: true,
    means: "the artifact is already in the requested tier",
  },
  PRECONDITION_FAILED: {
    http: 412,
    exit: 4,
    retryable: false,
    raised: true,
    means: "the artifact does not meet the condition ifAbsent or ifChecksum",
  },
  CONFLICT: {
    http: 409,
    exit: 4,
    retryable: true,
    raised: true,
    means:
      "the request conflicts with work in progress, or its idempotency key was used with another request",
  },
  HELD: {
    http: 409,
    exit: 4,
    retryable: false,
    raised: true,
    means: "the artifact is held, or an unconfirmed reindex forbids purges",
  },
  CONTENT_TOO_LARGE: {
    http: 413,
    exit: 8,
    retryable: false,
    raised: true,
    means: "the content or metadata is larger than this server accepts in this kind of request",
  },
  CHECKSUM_MISMATCH: {
    http: 422,
    exit: 7,
    retryable: false,
    raised: true,
    means: "the content does not have the required checksum",
  },
  QUOTA_EXCEEDED: {
    http: 507,
    exit: 8,
    retryable: false,
    raised: false,
    means: "the tenant's quota is used up",
  },
  STORAGE_FULL: {
    http: 507,
    exit: 6,
    retryable: true,
    raised: true,
    means: "the storage is full",
  },
  TIER_UNAVAILABLE: {
    http: 503,
    exit: 6,
    retryable: true,
    raised: true,
    means: "the storage of a tier does not respond, or is slower than the writes",
  },
  UNAVAILABLE: {
    http: 503,
    exit: 6,
    retryable: true,
    raised: true,
    means: "the server cannot do this safely at the moment",
  },
  CURSOR_INVALID: {
    http: 400,
    exit: 2,
    retryable: false,
    raised: true,
    means: "a cursor is malformed or belongs to another list, order, filter or log",
  },
  UNAUTHENTICATED: {
    http: 401,
    exit: 5,
    retryable: false,
    raised: true,
    means: "the request has no valid credentials",
  },
  FORBIDDEN: {
    http: 403,
    exit: 5,
    retryable: false,
    raised: true,
    means: "the caller, or the web page that sent the request, may not do this",
  },
  RATE_LIMITED: {
    http: 429,
    exit: 6,
    retryable: true,
    raised: true,
    means: "the caller sent too many requests in a short time",
  },
  QUERY_TOO_COMPLEX: {
    http: 400,
    exit: 8,
    retryable: false,
    raised: true,
    means: "the request exceeds a limit on its document, its cost, the rows that it scans, or its response",
  },
  INTERNAL: {
    http: 500,
    exit: 1,
    retryable: false,
    raised: true,
    means: "the server failed unexpectedly; its log line has the same requestId",
  },
  GRAPHQL_PARSE_FAILED: {
    http: 400,
    exit: 2,
    retryable: false,
    raised: true,
    means: "the document is not valid GraphQL",
  },
  GRAPHQL_VALIDATION_FAILED: {
    http: 400,
    exit: 2,
    retryable: false,
    raised: true,
    means: "the document does not fit the schema",
  },
} as const satisfies Record<string, RefusalMeaning>;

export type ErrorCode = keyof typeof REFUSALS;

/** Facts of a refusal, as they appear in `extensions`. */
export interface RefusalFacts {
  /** Path of the offending argument, e.g. "input.tenantId" or "keys.2.artifactId". */
  readonly argument?: string;
  /** The tier that the artifact is in. */
  readonly tier?: string;
  /** The checksum that the current content has (PRECONDITION_FAILED) or that was computed (CHECKSUM_MISMATCH). */
  readonly checksum?: string;
  /** The id of the job that conflicts with the request. */
  readonly jobId?: string;
  readonly retryAfterSeconds?: number;
  /** "unknown": the change may or may not have happened. Read the current state before a retry. */
  readonly outcome?: "unknown";
}

/** A refusal as plain data, which can be sent to another thread or over the network. */
export interface RefusalRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly facts: RefusalFacts;
}

/**
 * An intentional error: the only error whose message the server sends to clients. Nothing has changed, unless
 * `facts.outcome` is "unknown".
 */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly code: ErrorCode;
  readonly facts: RefusalFacts;

  /** `message` says what happened and what to do next, in one or two sentences. */
  constructor(code: ErrorCode, message: string, facts: RefusalFacts = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.facts = facts;
  }

  static from(record: RefusalRecord): Refused {
    return new Refused(record.code, record.message, record.facts);
  }

  toRecord(): RefusalRecord {
    return { code: this.code, message: this.message, facts: this.facts };
  }
}
