import type { Page } from "../../domain/pages.ts";
import { builder } from "./builder.ts";

/** A page in the shape that connection types resolve from. */
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
    description: "How many rows the whole list has, of those that you may see. Counted only when asked for.",
    resolve: ({ totalCount }) => totalCount(),
  }),
);

/** @param toNode what stands for a row in the schema */
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

/** For rows that are their own nodes. */
export function connectionOf<Row>(page: Page<Row>): Connection<Row> {
  return toConnection(page, (row) => row);
}
