import SchemaBuilder from "@pothos/core";
import RelayPlugin from "@pothos/plugin-relay";
import type { JsonValue } from "../../domain/metadata.ts";
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from "../../domain/pages.ts";
import type { GraphQLContext } from "../execution/context.ts";
import type { JsonText } from "../limits/json-text.ts";
import "../limits/answer-size-plugin.ts";
import "../rights-plugin.ts";

/** The schema builder. Each file that defines a type registers it here; index.ts builds the schema. */
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
    /** Decoded bytes. */
    Base64: { Input: Uint8Array; Output: Uint8Array };
  };
}>({
  // Rights come first: a field that the caller may not use is neither read nor counted.
  plugins: [RelayPlugin, "rights", "answerSize"],
  defaultFieldNullability: false,
  relay: {
    cursorType: "String",
    // node.ts defines both fields: the plugin's own fields reject a malformed id instead of returning null.
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    nodesOnConnection: { description: "The rows of this page, without their cursors." },
    nodeTypeOptions: {
      description: "An object with a global id. Fetch it again with `node` or `nodes`.",
    },
    idFieldOptions: { description: "Opaque global id." },
    pageInfoTypeOptions: {
      description: "Position of a page in its list, and whether more rows precede or follow it.",
    },
    hasNextPageFieldOptions: { description: "True if the list has rows after this page." },
    hasPreviousPageFieldOptions: { description: "True if the list has rows before this page." },
    startCursorFieldOptions: { description: "Cursor of the first row. Null on an empty page." },
    endCursorFieldOptions: {
      description: "Cursor of the last row. Pass it as `after` to read the next page. Null on an empty page.",
    },
    pageInfoFieldOptions: { description: "Position of this page in its list." },
    edgesFieldOptions: {
      nullable: { list: false, items: false },
      description: "The rows of this page, each with its cursor.",
    },
    nodeFieldOptions: { nullable: false, description: "The row." },
    cursorFieldOptions: {
      description:
        "Opaque position of this row, valid for this list with this order and filter. Pass it as `after` or `before`.",
    },
    firstArgOptions: {
      description: `Number of rows to return from the start of the range. Default: ${DEFAULT_PAGE_SIZE} when neither \`first\` nor \`last\` is given. Below 0, over ${MAX_PAGE_SIZE}, or together with \`last\`: BAD_USER_INPUT.`,
    },
    lastArgOptions: {
      description: `Number of rows to return from the end of the range, in the list's order. Below 0, over ${MAX_PAGE_SIZE}, or together with \`first\`: BAD_USER_INPUT.`,
    },
    afterArgOptions: {
      description:
        "Return only rows after this cursor. A malformed cursor, or one of another list, order or filter: CURSOR_INVALID.",
    },
    beforeArgOptions: {
      description:
        "Return only rows before this cursor. A malformed cursor, or one of another list, order or filter: CURSOR_INVALID.",
    },
    defaultConnectionTypeOptions: {
      description: "One page of a list, with the cursors that lead to its other pages.",
    },
    defaultEdgeTypeOptions: { description: "One row of a list, with its cursor." },
  },
});
