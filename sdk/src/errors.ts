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
 * The server refused. Each code that this version knows has a class of its own (ArtifactNotFoundError, …), whose instances
 * are those of its code; one that it does not know yet is a TierkeepError like any other, named after its code. Nothing
 * has changed, unless `outcome` is "unknown".
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

/** A TierkeepError of one code. */
export type RefusalOf<Code extends string> = TierkeepError & { readonly code: Code };

export type RefusalClass<Code extends string> = new (
  ...args: ConstructorParameters<typeof TierkeepError>
) => RefusalOf<Code>;

/**
 * The class of one code. What a server refuses is made without it, and is an instance all the same: so a program holds
 * the classes that it names, and no others.
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

/** "ArtifactNotFoundError" for ARTIFACT_NOT_FOUND. */
function errorName(code: string): string {
  return `${code.toLowerCase().replace(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase())}Error`;
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
