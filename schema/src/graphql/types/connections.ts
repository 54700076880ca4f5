import type { Page } from "../../domain/pages.ts";
import { builder } from "./builder.ts";

/** A page of rows in the shape that connection types resolve from. */
export interface Connection<T> {
  readonly edges: { readonly cursor: string; readonly node: T }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
  readonly totalCount: () => Promise<number>;
}

builder.globalConnectionField("totalCount", (t) =>
  t.field({
    type: "SafeInt",
    description: "Number of rows in the complete list that the caller may see. Counted only when selected.",
    resolve: ({ totalCount }) => totalCount(),
  }),
);

/** Returns a page as a connection. @param toNode returns the node of a row */
export function toConnection<Row, T>(page: Page<Row>, toNode: (row: Row) => T): Connection<T> {
  return {
    edges: page.edges.map(({ cursor, node }) => ({ cursor, node: toNode(node) })),
    pageInfo: {
      hasNextPage: page.hasNextPage,
      hasPreviousPage: page.hasPreviousPage,
      startCursor: page.edges[0]?.cursor ?? null,
      endCursor: page.edges.at(-1)?.cursor ?? null,
    },
    totalCount: page.totalCount,
  };
}

/** Returns a page as a connection whose nodes are the rows themselves. */
export function connectionOf<Row>(page: Page<Row>): Connection<Row> {
  return toConnection(page, (row) => row);
}
