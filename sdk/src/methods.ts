import type { Caller } from "./caller.ts";
import type { RequestOptions, Send } from "./document.ts";
import { ConnectionError } from "./errors.ts";
import { JobDocument } from "./generated/documents.ts";
import { METHODS, type TierkeepMethods } from "./generated/methods.ts";
import { newIdempotencyKey } from "./idempotency-key.ts";
import { withJobs } from "./jobs.ts";
import { type ListRange, listOf, type Page } from "./list.ts";
import { isRecord } from "./refusals.ts";

/** What a method is made of. */
export interface MethodSpec {
  readonly document: { toString(): string };
  /** What it answers with: fields from the operation's root down, with dots. Default: the method's own name. */
  readonly path?: string;
  /**
   * "bare": takes no arguments. "list": answers with a connection. "change": its arguments are a mutation's input, which
   * goes under an idempotency key. Default: takes arguments.
   */
  readonly kind?: "bare" | "list" | "change";
}

type AnyArguments = { readonly idempotencyKey?: string | null | undefined };

/** The typed methods, each over one request that `send` makes. */
export function methodsOver(caller: Caller, send: Send): TierkeepMethods {
  const job = async (id: string, options: RequestOptions) => (await send(JobDocument, { id }, options)).node;

  const method = ({ document, path, kind }: MethodSpec, name: string) => {
    const changes = kind === "change";
    const ask = async (args: AnyArguments | undefined, options: RequestOptions | undefined) => {
      const key = args?.idempotencyKey ?? newIdempotencyKey();
      const variables = changes ? { input: { ...args, idempotencyKey: key } } : args;
      let answer: unknown = await send(document as string, variables, options);
      for (const field of (path ?? name).split(".")) answer = isRecord(answer) ? answer[field] : null;
      // Null only beside a refusal, which has been thrown before.
      if (changes && answer === null) {
        throw new ConnectionError("The server answered with neither a payload nor a refusal.");
      }
      return withJobs(answer, caller, job);
    };
    if (kind === "bare") return (options?: RequestOptions) => ask({}, options);
    if (kind !== "list") return ask;
    return (args: ListRange = {}, options?: RequestOptions) =>
      listOf((range) => ask(range as AnyArguments, options) as Promise<Page<unknown> | null>, args);
  };

  const specs: [string, MethodSpec][] = Object.entries(METHODS);
  return Object.fromEntries(
    specs.map(([name, spec]) => [name, method(spec, name)]),
  ) as unknown as TierkeepMethods;
}
