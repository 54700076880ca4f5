/** What a refusal code means to each of the ways in. */
export interface RefusalMeaning {
  /** HTTP status outside of GraphQL (an executed GraphQL request is always 200). */
  readonly http: number;
  /** Exit code of the command line. */
  readonly exit: number;
  /** True when the same request may succeed later without being changed. */
  readonly retryable: boolean;
  /** False while nothing in this version can raise it: the code is reserved, and clients already know it. */
  readonly raised: boolean;
  /** One clause for documentation: "the request was refused because …". */
  readonly means: string;
}

/**
 * The one table of refusals. GraphQL's `extensions.code`, HTTP's status, the command line's exit code, the SDK's error
 * classes and the documentation are all fed from here.
 *
 * Exit codes: 1 unexpected, 2 the request is wrong, 3 not there, 4 in conflict with what is there, 5 not allowed,
 * 6 try again later, 7 bytes are damaged, 8 over a limit.
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
    means: "no artifact has this key, or it is not in the tier named",
  },
  NOT_FOUND: { http: 404, exit: 3, retryable: false, raised: true, means: "nothing has this id or path" },
  SAME_TIER: {
    http: 409,
    exit: 4,
    retryable: false,
    raised: true,
    means: "the artifact is already in the tier asked for",
  },
  PRECONDITION_FAILED: {
    http: 412,
    exit: 4,
    retryable: false,
    raised: true,
    means: "the artifact is not in the state that ifAbsent or ifChecksum demanded",
  },
  CONFLICT: {
    http: 409,
    exit: 4,
    retryable: true,
    raised: true,
    means: "something else is under way that excludes this, or the idempotency key came with another request",
  },
  HELD: {
    http: 409,
    exit: 4,
    retryable: false,
    raised: true,
    means: "the artifact is held, or nothing may be purged until a reindex is confirmed",
  },
  CONTENT_TOO_LARGE: {
    http: 413,
    exit: 8,
    retryable: false,
    raised: true,
    means: "the content or metadata is larger than this server takes that way",
  },
  CHECKSUM_MISMATCH: {
    http: 422,
    exit: 7,
    retryable: false,
    raised: true,
    means: "the bytes do not have the checksum they must have",
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
    means: "there is no room left to store this",
  },
  TIER_UNAVAILABLE: {
    http: 503,
    exit: 6,
    retryable: true,
    raised: true,
    means: "the storage behind a tier does not answer or fell too far behind",
  },
  UNAVAILABLE: {
    http: 503,
    exit: 6,
    retryable: true,
    raised: true,
    means: "the server cannot do this safely right now",
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
    means: "no valid credentials were given",
  },
  FORBIDDEN: {
    http: 403,
    exit: 5,
    retryable: false,
    raised: true,
    means: "this caller, or the web page it comes from, may not do this",
  },
  RATE_LIMITED: {
    http: 429,
    exit: 6,
    retryable: true,
    raised: true,
    means: "too many requests in too short a time",
  },
  QUERY_TOO_COMPLEX: {
    http: 400,
    exit: 8,
    retryable: false,
    raised: true,
    means: "one request asks for more than a request may return",
  },
  INTERNAL: {
    http: 500,
    exit: 1,
    retryable: false,
    raised: true,
    means: "the server failed in a way it did not foresee; its log line has the same requestId",
  },
  GRAPHQL_PARSE_FAILED: {
    http: 400,
    exit: 2,
    retryable: false,
    raised: true,
    means: "the document is not GraphQL",
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

/** Facts that go with a refusal, as they appear in `extensions`. */
export interface RefusalFacts {
  /** Path of the offending argument, e.g. "input.tenantId" or "keys.2.artifactId". */
  readonly argument?: string;
  /** The tier that the artifact is in. */
  readonly tier?: string;
  /** The checksum that the current content has (PRECONDITION_FAILED) or that was computed (CHECKSUM_MISMATCH). */
  readonly checksum?: string;
  /** The job that stands in the way. */
  readonly jobId?: string;
  readonly retryAfterSeconds?: number;
  /** "unknown": the change may or may not have happened; ask before repeating it. */
  readonly outcome?: "unknown";
}

/** A refusal in a form that crosses threads and wires. */
export interface RefusalRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly facts: RefusalFacts;
}

/** Thrown on purpose: the only kind of error whose message leaves the server. Nothing has changed, unless facts.outcome says "unknown". */
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
