import type { Caller } from "./caller.ts";
import { graphqlRequest, type RequestOptions, type Send } from "./document.ts";
import { answerOf, isRecord, unexpected } from "./refusals.ts";
import { repeat } from "./repeat.ts";

/** Returns a function that sends documents as GraphQL over HTTP, one request each. */
export function sendOver(caller: Caller, defaultTimeoutMs: number): Send {
  return async <Result>(
    document: { toString(): string },
    variables: object = {},
    options: RequestOptions = {},
  ): Promise<Result> => {
    const request = graphqlRequest(document, variables);
    const init = {
      method: "POST",
      headers: {
        accept: "application/graphql-response+json, application/json",
        "content-type": "application/json",
      },
      body: JSON.stringify(request),
    };
    const limit = caller.deadline(options, defaultTimeoutMs);
    try {
      return await repeat(
        limit,
        isRepeatable(request) ? (options.retries ?? caller.retries) : 0,
        async () => {
          const response = await caller.fetch(caller.endpoint, init, options, limit);
          return await limit.race(dataOf<Result>(response));
        },
      );
    } finally {
      limit.clear();
    }
  };
}

/**
 * Returns true for queries, and for mutations with an idempotency key. A query that only contains the word
 * "mutation" is not retried.
 */
function isRepeatable({ query, variables: { input } }: ReturnType<typeof graphqlRequest>): boolean {
  return !/\bmutation\b/.test(query) || (isRecord(input) && input.idempotencyKey != null);
}

async function dataOf<Result>(response: Response): Promise<Result> {
  const { data } = await answerOf(response);
  if (!isRecord(data)) throw unexpected(response);
  return data as Result;
}
