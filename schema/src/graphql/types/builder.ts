import SchemaBuilder from "@pothos/core";
import RelayPlugin from "@pothos/plugin-relay";
import type { JsonValue } from "../../domain/metadata.ts";
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from "../../domain/pages.ts";
import type { GraphQLContext } from "../execution/context.ts";
import type { JsonText } from "../limits/json-text.ts";
import "../limits/answer-size-plugin.ts";
import "../rights-plugin.ts";

/** The schema under construction. Types register themselves with it from the file that defines them; index.ts builds it. */
export const builder = new SchemaBuilder<{
  Context: GraphQLContext;
  DefaultFieldNullability: false;
  DefaultEdgesNullability: { list: false; items: false };
  DefaultNodeNullability: false;
  Connection: { totalCount: () => Promise<number> };
  Scalars: {
    ID: { Input: string; Output: string };
    /** ms since the epoch. */
    DateTime: { Input: number; Output: number };
    JSONObject: {
      Input: { [key: string]: JsonValue };
      Output: { readonly [key: string]: JsonValue } | JsonText;
    };
    SafeInt: { Input: number; Output: number };
    /** Decoded. */
    Base64: { Input: Uint8Array; Output: Uint8Array };
  };
}>({
  // Rights come first: what a caller may not ask for is neither read nor counted.
  plugins: [RelayPlugin, "rights", "answerSize"],
  defaultFieldNullability: false,
  relay: {
    cursorType: "String",
    // Both are written in node.ts: the plugin's own refuse a malformed id instead of answering null.
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    nodesOnConnection: { description: "The rows themselves, for those who need no cursors." },
    nodeTypeOptions: {
      description: "Anything with a global id, to be fetched again with `node` or `nodes`.",
    },
    idFieldOptions: { description: "Opaque global id." },
    pageInfoTypeOptions: { description: "Where a page stands in its list." },
    hasNextPageFieldOptions: { description: "Whether the list goes on after this page." },
    hasPreviousPageFieldOptions: { description: "Whether the list has rows before this page." },
    startCursorFieldOptions: { description: "Cursor of the first row; null on an empty page." },
    endCursorFieldOptions: {
      description: "Cursor of the last row, to be given as `after` for the next page; null on an empty page.",
    },
    pageInfoFieldOptions: { description: "Where this page stands in its list." },
    edgesFieldOptions: {
      nullable: { list: false, items: false },
      description: "The rows, each with its cursor.",
    },
    nodeFieldOptions: { nullable: false, description: "The row." },
    cursorFieldOptions: {
      description:
        "Position of this row in this list, order and filter, to be given as `after` or `before`. Opaque.",
    },
    firstArgOptions: {
      description: `How many rows from the start of the range; ${DEFAULT_PAGE_SIZE} when neither first nor last is given. Below 0, over ${MAX_PAGE_SIZE}, or together with last: BAD_USER_INPUT.`,
    },
    lastArgOptions: {
      description: `How many rows from the end of the range, in the list's order. Below 0, over ${MAX_PAGE_SIZE}, or together with first: BAD_USER_INPUT.`,
    },
    afterArgOptions: {
      description: "Only rows behind this cursor. One of another list, order or filter: CURSOR_INVALID.",
    },
    beforeArgOptions: {
      description: "Only rows ahead of this cursor. One of another list, order or filter: CURSOR_INVALID.",
    },
    defaultConnectionTypeOptions: { description: "One page of a list, and how to ask for the others." },
    defaultEdgeTypeOptions: { description: "One row of a list, and its place in it." },
  },
});
