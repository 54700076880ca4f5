import type { ApiSurface, DocumentLimits } from "@tierkeep/schema/domain/limits";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { PreparedOperation } from "@tierkeep/schema/graphql/execution/operation";
import { queryCost } from "@tierkeep/schema/graphql/limits/query-cost";
import { type DocumentNode, GraphQLError, Lexer, parse, print, Source, TokenKind } from "graphql";
import { MAX_REPEATS } from "../limits/limits.ts";
import { documentShape } from "./document-shape.ts";

/**
 * Parses a document within the limits.
 *
 * @throws GraphQLError GRAPHQL_PARSE_FAILED; QUERY_TOO_COMPLEX or FORBIDDEN before validation
 */
export function parseWithin(
  limits: DocumentLimits,
  { operations }: ApiSurface,
  given: string | Source,
): DocumentNode {
  const source = typeof given === "string" ? new Source(given) : given;
  const { maxTokens, maxDepth, maxAliases, maxDirectives } = limits;
  const document = parsed(source, maxTokens);
  const { depth, aliases, directives, repeats } = documentShape(document);
  if (depth > maxDepth)
    throw tooComplex(`The document's fields are nested more than ${maxDepth} levels deep.`);
  if (aliases > maxAliases)
    throw tooComplex(`The document has ${aliases} aliases; ${maxAliases} are allowed.`);
  if (directives > maxDirectives)
    throw tooComplex(`The document has ${directives} directives; ${maxDirectives} are allowed.`);
  if (repeats > MAX_REPEATS)
    throw tooComplex(`The document repeats selected fields more than ${MAX_REPEATS} times.`);
  if (operations !== null && !operations.has(print(document))) {
    throw new GraphQLError(
      "This server allows only the operations in ALLOWED_OPERATIONS, and this is not one of them. Use the SDK's operations, or have this one added where the server is started.",
      { extensions: { code: "FORBIDDEN" } },
    );
  }
  return document;
}

function parsed(source: Source, maxTokens: number): DocumentNode {
  if (hasMoreTokensThan(maxTokens, source))
    throw tooComplex(`The document has more than ${maxTokens} tokens. Put values into variables.`);
  try {
    return parse(source);
  } catch (error) {
    // Deeply nested brackets overflow the parser's stack.
    if (error instanceof RangeError) throw tooComplex("The document's parts are nested too deeply.");
    throw error;
  }
}

/** Counts tokens before parsing, which takes twenty times as long. */
function hasMoreTokensThan(max: number, source: Source): boolean {
  if (source.body.length <= max) return false;
  const lexer = new Lexer(source);
  try {
    for (let count = 0; count <= max; count += 1) {
      if (lexer.advance().kind === TokenKind.EOF) return false;
    }
    return true;
  } catch {
    // The parser reports the error with its position.
    return false;
  }
}

/** @throws Refused QUERY_TOO_COMPLEX before anything is executed */
export function requireCostWithin({ maxCost }: DocumentLimits, prepared: PreparedOperation): void {
  const cost = queryCost(prepared);
  if (cost === null || cost <= maxCost) return;
  throw new Refused(
    "QUERY_TOO_COMPLEX",
    `This operation costs ${cost}; ${maxCost} is allowed. Each value that it may return costs about 1. Request smaller pages or fewer fields.`,
  );
}

function tooComplex(what: string): GraphQLError {
  return new GraphQLError(`${what} Request less at a time.`, {
    extensions: { code: "QUERY_TOO_COMPLEX" },
  });
}
