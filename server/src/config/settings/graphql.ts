import { DEFAULT_LIMITS } from "@tierkeep/schema/domain/limits";
import { boolean, bytes, count, type Setting, text } from "../setting.ts";

const MiB = 2 ** 20;

export const GRAPHQL_SETTINGS = {
  GRAPHIQL: {
    shownDefault: "true",
    default: DEFAULT_LIMITS.surface.graphiql,
    accepts: "true or false",
    description: "serve GraphiQL, a web page to try queries on",
    read: boolean,
  },
  INTROSPECTION: {
    shownDefault: "true",
    default: DEFAULT_LIMITS.surface.introspection,
    accepts: "true or false",
    description: "allow introspection of the schema; GraphiQL needs it",
    read: boolean,
  },
  ALLOWED_OPERATIONS: {
    shownDefault: "any",
    default: "any",
    accepts: 'any, sdk, or the path of a folder of .graphql files, with a "/" in it',
    description:
      "GraphQL documents that are accepted. any: all; sdk: those of the SDK; a folder: those of the SDK and of the folder's files, one document a file",
    read: text(/^any$|^sdk$|^[^\0]*\/[^\0]*$/, ([value]) => value),
  },
  MAX_QUERY_TOKENS: {
    shownDefault: "6000",
    default: DEFAULT_LIMITS.document.maxTokens,
    accepts: "a number from 100 to 1000000",
    description: "largest number of tokens in a GraphQL document",
    read: count(100, 1_000_000),
  },
  MAX_QUERY_DEPTH: {
    shownDefault: "15",
    default: DEFAULT_LIMITS.document.maxDepth,
    accepts: "a number from 5 to 100",
    description: "deepest nesting of fields in a document",
    read: count(5, 100),
  },
  MAX_QUERY_ALIASES: {
    shownDefault: "50",
    default: DEFAULT_LIMITS.document.maxAliases,
    accepts: "a number from 0 to 10000",
    description: "largest number of aliases in a document",
    read: count(0, 10_000),
  },
  MAX_QUERY_DIRECTIVES: {
    shownDefault: "50",
    default: DEFAULT_LIMITS.document.maxDirectives,
    accepts: "a number from 0 to 10000",
    description: "largest number of directives in a document",
    read: count(0, 10_000),
  },
  MAX_QUERY_COST: {
    shownDefault: "60000",
    default: DEFAULT_LIMITS.document.maxCost,
    accepts: "a number from 100 to 100000000",
    description:
      "largest cost of an operation: about 1 for each value that it may return; lists multiply by page size",
    read: count(100, 100_000_000),
  },
  MAX_RESPONSE_BYTES: {
    shownDefault: "32MiB",
    default: DEFAULT_LIMITS.document.maxResponseBytes,
    accepts: "bytes from 64KiB to 256MiB, plain or in KiB or MiB",
    description: "largest response to a GraphQL request as JSON; a larger one is QUERY_TOO_COMPLEX",
    read: bytes(64 * 1024, 256 * MiB),
  },
  MAX_SCANNED_ROWS: {
    shownDefault: "1000000",
    default: DEFAULT_LIMITS.document.maxScannedRows,
    accepts: "a number from 1000 to 1000000000",
    description:
      "rows that the filters, orders and counts of one request may examine in total; its first list and first count are exempt",
    read: count(1000, 1_000_000_000),
  },
} as const satisfies Record<string, Setting<unknown>>;
