import { ConnectionError } from "./errors.ts";

/** A GraphQL document with the types of its result and its variables. */
export interface Operation<Result, Variables> {
  readonly kind: "query" | "mutation" | "subscription";
  /** Its name in the document. */
  readonly name: string;
  readonly text: string;
  /** Never there: carries the types. */
  readonly types?: (variables: Variables) => Result;
}

/** What any single call may be given. */
export interface RequestOptions {
  /** Ends the call with an AbortError. What the server has begun it may still finish. */
  readonly signal?: AbortSignal | undefined;
  /** How long the whole call may take, in ms, else a TimeoutError; Infinity: for ever. Default: the client's. */
  readonly timeoutMs?: number | undefined;
  /** Sent besides the client's own. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Sends one query or mutation and answers with its data. */
export type Send = <Result, Variables>(
  operation: Operation<Result, Variables>,
  variables: Variables,
  options?: RequestOptions,
) => Promise<Result>;

/** A mutation's payload: null only beside a refusal, which has been thrown before. */
export function payloadOf<Payload>(payload: Payload | null): Payload {
  if (payload === null)
    throw new ConnectionError("The server answered with neither a payload nor a refusal.");
  return payload;
}
