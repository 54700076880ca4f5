import type { Caller } from "./caller.ts";
import { graphqlRequest, type RequestOptions, type Send } from "./document.ts";
import { ConnectionError } from "./errors.ts";
import { JobDocument } from "./generated/documents.ts";
import { METHODS, PATHS, type TierkeepMethods } from "./generated/methods.ts";
import { newIdempotencyKey } from "./idempotency-key.ts";
import { withJobs } from "./jobs.ts";
import { type ListRange, listOf, type Page } from "./list.ts";
import { isRecord } from "./refusals.ts";

type AnyArguments = { readonly idempotencyKey?: string | null | undefined };

/** Returns the typed methods. Each sends one request with `send`. */
export function methodsOver(caller: Caller, send: Send): TierkeepMethods {
  const job = async (id: string, options: RequestOptions) => (await send(JobDocument, { id }, options)).node;

  const method = (kind: string, name: string, document: { toString(): string }) => {
    const changes = kind === "change";
    const request = async (args: AnyArguments | undefined, options: RequestOptions | undefined) => {
      const idempotencyKey = args?.idempotencyKey ?? newIdempotencyKey();
      const variables = changes ? { input: { ...args, idempotencyKey } } : args;
      let result: unknown = await send(document as string, variables, options);
      for (const field of (PATHS[name] ?? name).split(".")) result = isRecord(result) ? result[field] : null;
      // With an error in the response, `send` has already thrown it.
      if (changes && result === null) {
        throw new ConnectionError("The server returned neither a payload nor an error.");
      }
      return withJobs(withAbsoluteUrl(result, caller.endpoint), caller, job);
    };
    if (kind === "bare") return (options?: RequestOptions) => request({}, options);
    if (kind !== "list") return request;
    return (args: ListRange = {}, options?: RequestOptions) =>
      listOf((range) => request(range as AnyArguments, options) as Promise<Page<unknown> | null>, args);
  };

  const methods: Record<string, unknown> = {};
  for (const [kind, documents] of Object.entries(METHODS)) {
    for (const document of documents) {
      const name = nameOf(document);
      methods[name] = method(kind, name, document);
    }
  }
  return methods as unknown as TierkeepMethods;
}

/**
 * Returns a result with an absolute `url`: the program that receives a signed URL may not know the endpoint.
 */
function withAbsoluteUrl(result: unknown, endpoint: string): unknown {
  return isRecord(result) && typeof result.url === "string"
    ? { ...result, url: new URL(result.url, endpoint).href }
    : result;
}

/** Returns the method name of a document, for example "writeArtifact" for the operation WriteArtifact. */
function nameOf(document: { toString(): string }): string {
  const { operationName = "" } = graphqlRequest(document);
  return operationName.replace(/^./, (first) => first.toLowerCase());
}
