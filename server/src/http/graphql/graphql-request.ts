import { exactJson } from "@tierkeep/schema/domain/exact-numbers";
import type { GraphQLParams, Plugin } from "graphql-yoga";
import { JSON_TYPE, transportError } from "./graphql-result.ts";

/**
 * Reads the parameters of a GraphQL request over HTTP: from the URL of a GET, or from the JSON body of a
 * POST. A POST with another content type gets no parser, which yoga answers with 415. That includes forms,
 * which a web page may send without a preflight request.
 */
export const requestParser: Plugin = {
  onRequestParse({ request, setRequestParser }) {
    requireNoEncoding(request);
    if (request.method === "GET") setRequestParser(paramsOfUrl);
    else setRequestParser(isJson(request) ? paramsOfBody : (undefined as never));
  },
};

/** @throws GraphQLError BAD_USER_INPUT */
function paramsOfUrl({ url }: Request): GraphQLParams {
  const query = new URL(url).searchParams;
  const json = (name: string) => {
    const text = query.get(name);
    return text ? (parsed(text, `The URL's ${name}`) as Record<string, unknown>) : undefined;
  };
  const params = {
    query: query.get("query") || undefined,
    operationName: query.get("operationName") || undefined,
    variables: json("variables"),
    extensions: json("extensions"),
  };
  return params as GraphQLParams;
}

/** @throws GraphQLError BAD_USER_INPUT; errors of reading the body */
async function paramsOfBody(request: Request): Promise<GraphQLParams> {
  const bytes = await request.bytes();
  const params = parsed(utf8(bytes), "The body");
  if (typeof params !== "object" || params === null) {
    throw transportError(
      "BAD_USER_INPUT",
      `The body of a POST must be a JSON object, not ${typeof params}.`,
      400,
    );
  }
  // Some clients send an empty name instead of none.
  if ((params as GraphQLParams).operationName === "") delete (params as GraphQLParams).operationName;
  return params;
}

/**
 * Rejects text that is not UTF-8, because replacement characters would be stored in place of the original
 * bytes.
 */
function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw transportError("BAD_USER_INPUT", "The body is not valid UTF-8.", 400);
  }
}

function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(exactJson(text));
  } catch {
    throw transportError("BAD_USER_INPUT", `${what} is not valid JSON.`, 400);
  }
}

/** @throws GraphQLError BAD_USER_INPUT for a compressed body */
function requireNoEncoding({ headers }: Request): void {
  const encoding = headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (encoding === "identity" || encoding === "") return;
  const message = "This server reads uncompressed bodies only. Send the request without Content-Encoding.";
  throw transportError("BAD_USER_INPUT", message, 415, { "accept-encoding": "identity" });
}

/** Media types are case-insensitive (RFC 9110). */
function isJson({ headers }: Request): boolean {
  const [type = ""] = (headers.get("content-type") ?? "").split(";", 1);
  return type.trim().toLowerCase() === JSON_TYPE;
}
