import type { Caller } from "./caller.ts";
import type { Send } from "./operation.ts";
import { isRecord, refusalOf, refusalOfResponse, unexpected } from "./refusals.ts";

/** Sends operations as GraphQL over HTTP, one request each. */
export function sendOver(caller: Caller, defaultTimeoutMs: number): Send {
  return async <Result, Variables>(
    operation: { readonly name: string; readonly text: string },
    variables: Variables,
    options = {},
  ) => {
    const { response, deadline } = await caller.call(
      caller.endpoint,
      {
        method: "POST",
        headers: {
          accept: "application/graphql-response+json, application/json",
          "content-type": "application/json",
        },
        body: JSON.stringify({ query: operation.text, variables, operationName: operation.name }),
      },
      options,
      defaultTimeoutMs,
    );
    try {
      return await deadline.race(dataOf<Result>(response));
    } finally {
      deadline.clear();
    }
  };
}

async function dataOf<Result>(response: Response): Promise<Result> {
  if (!response.ok) throw await refusalOfResponse(response);
  const text = await response.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw unexpected(response, cause);
  }
  if (!isRecord(body)) throw unexpected(response);
  const { data, errors } = body;
  if (Array.isArray(errors) && isRecord(errors[0])) throw refusalOf(errors[0]);
  if (!isRecord(data)) throw unexpected(response);
  return data as Result;
}
