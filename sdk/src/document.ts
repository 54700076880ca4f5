/**
 * A GraphQL document as text, with the types of its variables and its result. This package exports such
 * documents. GraphQL Code Generator's client preset generates them with documentMode "string".
 */
export interface TypedDocument<Result, Variables> {
  toString(): string;
  /** Carries the types. Absent at run time. */
  readonly __apiType?: (variables: Variables) => Result;
}

/**
 * "ask": a query with arguments. "bare": a query without arguments. "list": a query that returns a
 * connection. "change": a mutation; the method's arguments are its input, sent with an idempotency key.
 */
export type MethodKind = "ask" | "bare" | "list" | "change";

/** Options of a single call. */
export interface RequestOptions {
  /** Aborts the call with an AbortError. The server may still complete a change that it has started. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Timeout of the call in ms, retries included; then it fails with TimeoutError. Infinity: no timeout.
   * Default: the client's.
   */
  readonly timeoutMs?: number | undefined;
  /** Number of retries, if the call is safe to retry. Default: the client's. */
  readonly retries?: number | undefined;
  /** Headers in addition to the client's. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Sends one query or mutation and returns its data. */
export interface Send {
  <Result = { readonly [field: string]: unknown }>(
    document: string,
    variables?: { readonly [name: string]: unknown },
    options?: RequestOptions,
  ): Promise<Result>;
  <Result, Variables>(
    document: TypedDocument<Result, Variables>,
    ...variablesAndOptions: object extends Variables
      ? [variables?: Variables, options?: RequestOptions]
      : [variables: Variables, options?: RequestOptions]
  ): Promise<Result>;
}

/** The JSON of a GraphQL request over HTTP and over WebSockets. */
export interface GraphQLRequest {
  readonly query: string;
  readonly variables: { readonly [name: string]: unknown };
  readonly operationName: string | undefined;
}

export function graphqlRequest(document: { toString(): string }, variables: object = {}): GraphQLRequest {
  const query = document.toString();
  return { query, variables: { ...variables }, operationName: /^\s*[a-z]+\s+(\w+)/.exec(query)?.[1] };
}

/**
 * Returns the text with every fragment that it needs, each once. Combined at run time, because the complete
 * texts are five times as long.
 *
 * @param fragments the type and the selection of each fragment, by name
 */
export function withFragments(text: string, fragments: { readonly [name: string]: string }): string {
  const needed = new Set<string>();
  const collect = (part: string): void => {
    for (const [, name = ""] of part.matchAll(/\.{3}(?!on )(\w+)/g)) {
      if (needed.has(name)) continue;
      needed.add(name);
      collect(fragments[name] ?? "");
    }
  };
  collect(text);
  return text + [...needed].map((name) => `fragment ${name} on ${fragments[name]}`).join("");
}
