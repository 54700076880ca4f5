import { Refused } from "./refusals.ts";

export const DEFAULT_PAGE_SIZE = 50;
export const MAX_PAGE_SIZE = 500;

/** The four paging arguments of the Relay cursor-connection specification, as the client sent them. */
export interface PageArguments {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
}

/**
 * Checked paging arguments: `limit` rows from the start of the range (forward) or from its end (backward).
 */
export interface PageRequest {
  readonly limit: number;
  readonly backward: boolean;
  readonly after: string | null;
  readonly before: string | null;
}

export interface Page<T> {
  readonly edges: readonly { readonly cursor: string; readonly node: T }[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  /** Counted only when called. */
  readonly totalCount: () => Promise<number>;
}

/**
 * Checks paging arguments. A page size is never reduced silently. @throws Refused BAD_USER_INPUT for a size
 * outside 0 to 500, or for both `first` and `last`
 */
export function requirePage(page: PageArguments): PageRequest {
  const { first, last } = page;
  if (first != null && last != null) {
    throw new Refused("BAD_USER_INPUT", "Give first or last, not both.", { argument: "last" });
  }
  const argument = last != null ? "last" : "first";
  const limit = first ?? last ?? DEFAULT_PAGE_SIZE;
  if (!Number.isInteger(limit) || limit < 0 || limit > MAX_PAGE_SIZE) {
    throw new Refused(
      "BAD_USER_INPUT",
      `${argument} is ${limit}. Give 0 to ${MAX_PAGE_SIZE}, and use pageInfo to read further pages.`,
      { argument },
    );
  }
  return { limit, backward: last != null, after: page.after ?? null, before: page.before ?? null };
}
