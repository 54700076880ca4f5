import type { ApiSurface, DocumentLimits } from "@tierkeep/schema/domain/limits";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { PreparedOperation } from "@tierkeep/schema/graphql/execution/operation";
import { queryCost } from "@tierkeep/schema/graphql/limits/query-cost";
import { type DocumentNode, GraphQLError, Lexer, parse, print, Source, TokenKind } from "graphql";
import { MAX_REPEATS } from "../limits/limits.ts";
import { documentShape } from "./document-shape.ts";

/**
 * A document from its text.
 *
 * @throws GraphQLError GRAPHQL_PARSE_FAILED, and before it is validated QUERY_TOO_COMPLEX, FORBIDDEN
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
  if (depth > maxDepth) throw tooComplex(`The document's fields stand more than ${maxDepth} levels deep.`);
  if (aliases > maxAliases)
    throw tooComplex(`The document has ${aliases} aliases, and may have ${maxAliases}.`);
  if (directives > maxDirectives)
    throw tooComplex(`The document has ${directives} directives, and may have ${maxDirectives}.`);
  if (repeats > MAX_REPEATS)
    throw tooComplex(
      `The document selects fields again that it has selected, more than ${MAX_REPEATS} times.`,
    );
  if (operations !== null && !operations.has(print(document))) {
    throw new GraphQLError(
      "This server takes those operations alone that it was given, and this is none of them. Use the SDK's, or have it added to ALLOWED_OPERATIONS where the server is started.",
      { extensions: { code: "FORBIDDEN" } },
    );
  }
  return document;
}

function parsed(source: Source, maxTokens: number): DocumentNode {
  if (hasMoreThan(maxTokens, source))
    throw tooComplex(`The document has more than ${maxTokens} tokens. Put values into variables.`);
  try {
    return parse(source);
  } catch (error) {
    // Brackets in brackets without end.
    if (error instanceof RangeError) throw tooComplex("The document's parts stand too deep in each other.");
    throw error;
  }
}

/** Counted before they are parsed, which takes twenty times as long. */
function hasMoreThan(most: number, source: Source): boolean {
  if (source.body.length <= most) return false;
  const lexer = new Lexer(source);
  try {
    for (let count = 0; count <= most; count += 1) {
      if (lexer.advance().kind === TokenKind.EOF) return false;
    }
    return true;
  } catch {
    // Parsing finds what is wrong, and where.
    return false;
  }
}

/** @throws Refused QUERY_TOO_COMPLEX, before anything is executed */
export function requireCostWithin({ maxCost }: DocumentLimits, prepared: PreparedOperation): void {
  const cost = queryCost(prepared);
  if (cost === null || cost <= maxCost) return;
  throw new Refused(
    "QUERY_TOO_COMPLEX",
    `This operation costs ${cost}, and may cost ${maxCost}: about one for each value that it could answer. Ask for smaller pages, or for less of each row.`,
  );
}

function tooComplex(what: string): GraphQLError {
  return new GraphQLError(`${what} Ask for less in one request.`, {
    extensions: { code: "QUERY_TOO_COMPLEX" },
  });
}
