/** Facts that a server gives with a refusal. */
export interface RefusalFacts {
  /** Finds the server's log line. */
  readonly requestId?: string | undefined;
  /** Path of the offending argument, e.g. "input.tenantId". */
  readonly argument?: string | undefined;
  /** The tier that the artifact is in. */
  readonly tier?: string | undefined;
  /** The checksum that the content has. */
  readonly checksum?: string | undefined;
  /** The job that stands in the way. */
  readonly jobId?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
  /** "unknown": the change may or may not have happened. Ask before repeating it. */
  readonly outcome?: string | undefined;
}

/**
 * The server refused. Each code that this version knows has a class of its own (ArtifactNotFoundError, …); one that it
 * does not know yet is a plain TierkeepError. Nothing has changed, unless `outcome` is "unknown".
 */
export class TierkeepError extends Error {
  override readonly name: string = "TierkeepError";
  readonly code: string;
  readonly requestId: string | undefined;
  readonly argument: string | undefined;
  readonly tier: string | undefined;
  readonly checksum: string | undefined;
  readonly jobId: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly outcome: string | undefined;

  constructor(code: string, message: string, facts: RefusalFacts = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.requestId = facts.requestId;
    this.argument = facts.argument;
    this.tier = facts.tier;
    this.checksum = facts.checksum;
    this.jobId = facts.jobId;
    this.retryAfterSeconds = facts.retryAfterSeconds;
    this.outcome = facts.outcome;
  }
}

/**
 * No answer, half of one, or one that is not Tierkeep's (a proxy's error page). A change that was asked for may or may
 * not have happened.
 */
export class ConnectionError extends Error {
  override readonly name: string = "ConnectionError";
  /** The HTTP status, where there was one. */
  readonly status: number | undefined;

  constructor(message: string, options?: ErrorOptions & { readonly status?: number }) {
    super(message, options);
    this.status = options?.status;
  }
}

/** The call took longer than its timeoutMs. A change that was asked for may or may not have happened. */
export class TimeoutError extends Error {
  override readonly name: string = "TimeoutError";
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    super(`No complete answer within ${timeoutMs} ms.`);
    this.timeoutMs = timeoutMs;
  }
}

/** The caller's signal ended the call; its reason is the cause. A change that was asked for may or may not have happened. */
export class AbortError extends Error {
  override readonly name: string = "AbortError";

  constructor(reason: unknown) {
    super("The call was aborted.", { cause: reason });
  }
}
