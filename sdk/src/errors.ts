/** Facts of a server's refusal. */
export interface RefusalFacts {
  /** Identifies the request's line in the server's log. */
  readonly requestId?: string | undefined;
  /** Path of the offending argument, e.g. "input.tenantId". */
  readonly argument?: string | undefined;
  /** The tier that the artifact is in. */
  readonly tier?: string | undefined;
  /** The checksum of the content. */
  readonly checksum?: string | undefined;
  /** The id of the job that conflicts with the request. */
  readonly jobId?: string | undefined;
  /** When a retry can succeed, in seconds. */
  readonly retryAfterSeconds?: number | undefined;
  /** "unknown": the change may or may not have happened. Read the current state before a retry. */
  readonly outcome?: string | undefined;
}

/**
 * A refusal of the server. Nothing has changed, unless `outcome` is "unknown".
 *
 * Each code that this version of the SDK knows has a class (ArtifactNotFoundError, …): `error instanceof
 * ArtifactNotFoundError` is true for errors with its code. An error with an unknown code is a TierkeepError,
 * named after its code.
 */
export class TierkeepError extends Error {
  override readonly name: string;
  readonly code: string;
  declare readonly requestId: string | undefined;
  declare readonly argument: string | undefined;
  declare readonly tier: string | undefined;
  declare readonly checksum: string | undefined;
  declare readonly jobId: string | undefined;
  declare readonly retryAfterSeconds: number | undefined;
  declare readonly outcome: string | undefined;

  constructor(code: string, message: string, facts: RefusalFacts = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = errorName(code);
    this.code = code;
    Object.assign(this, facts);
  }
}

/** A TierkeepError with one code. */
export type RefusalOf<Code extends string> = TierkeepError & { readonly code: Code };

export type RefusalClass<Code extends string> = new (
  ...args: ConstructorParameters<typeof TierkeepError>
) => RefusalOf<Code>;

/**
 * Returns the class of one code. Errors are created without it, and are its instances by their code. So a
 * bundle contains only the classes that the program uses.
 */
export function refusalClass<Code extends string>(code: Code): RefusalClass<Code> {
  const found = class extends TierkeepError {
    static override [Symbol.hasInstance](error: unknown): boolean {
      return error instanceof TierkeepError && error.code === code;
    }
  };
  Object.defineProperty(found, "name", { value: errorName(code) });
  return found as unknown as RefusalClass<Code>;
}

/** Returns "ArtifactNotFoundError" for ARTIFACT_NOT_FOUND. */
function errorName(code: string): string {
  return `${code.toLowerCase().replace(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase())}Error`;
}

/**
 * The response is missing, incomplete, or not from Tierkeep (such as a proxy's error page). A requested
 * change may or may not have happened.
 */
export class ConnectionError extends Error {
  override readonly name: string = "ConnectionError";
  /** The HTTP status, if there was a response. */
  readonly status: number | undefined;

  constructor(message: string, options?: ErrorOptions & { readonly status?: number }) {
    super(message, options);
    this.status = options?.status;
  }
}

/** The call took longer than its timeoutMs. A requested change may or may not have happened. */
export class TimeoutError extends Error {
  override readonly name: string = "TimeoutError";
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    super(`No complete response within ${timeoutMs} ms.`);
    this.timeoutMs = timeoutMs;
  }
}

/**
 * The caller's signal aborted the call; `cause` is the signal's reason. A requested change may or may not
 * have happened.
 */
export class AbortError extends Error {
  override readonly name: string = "AbortError";

  constructor(reason: unknown) {
    super("The call was aborted.", { cause: reason });
  }
}
