/**
 * A GraphQL document as text, with the types of its variables and its result: the documents that ship here, and those of
 * GraphQL Code Generator's client preset (documentMode "string").
 */
export interface TypedDocument<Result, Variables> {
  toString(): string;
  /** Never there: carries the types. */
  readonly __apiType?: (variables: Variables) => Result;
}

/** What any single call may be given. */
/**
 * "ask": takes arguments. "bare": takes none. "list": answers with a connection. "change": its arguments are a mutation's
 * input, which goes under an idempotency key.
 */
export type MethodKind = "ask" | "bare" | "list" | "change";

export interface RequestOptions {
  /** Ends the call with an AbortError. What the server has begun it may still finish. */
  readonly signal?: AbortSignal | undefined;
  /** How long the whole call may take, in ms, repeats included, else a TimeoutError; Infinity: for ever. Default: the client's. */
  readonly timeoutMs?: number | undefined;
  /** How often it may be repeated, where that is safe. Default: the client's. */
  readonly retries?: number | undefined;
  /** Sent besides the client's own. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Sends one query or mutation and answers with its data. */
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

/** The JSON that GraphQL over HTTP, and over WebSockets, wants of a document. */
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
 * The text with every fragment that it needs, each once. Put together here, because the whole texts are five times as long.
 *
 * @param fragments the type and the selection of each, by its name
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
  return [text, ...[...needed].map((name) => `fragment ${name} on ${fragments[name]}`)].join("");
}
