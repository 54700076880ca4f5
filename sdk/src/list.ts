import { TierkeepError } from "./errors.ts";

/** One page of a list. */
export interface Page<Node> {
  readonly nodes: readonly Node[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

type NodeOf<Answer> = Answer extends Page<infer Node> ? Node : never;

/**
 * A list that is read on demand.
 *
 * - `await list` returns the one page that the arguments name. It is read only once.
 * - `for await (const node of list)` yields every node from there on, and reads the pages one by one. `first`
 *   is then the page size (default: 200). With `last`, the loop runs from the end to the start.
 *
 * If the server rejects a page as too large (QUERY_TOO_COMPLEX), a loop halves the page size and later tries
 * larger pages again. A list below a missing object is null when awaited, and has no nodes.
 */
export interface List<Answer> extends Promise<Answer>, AsyncIterable<NodeOf<Answer>> {
  /** Yields the list page by page. */
  pages(): AsyncIterable<NonNullable<Answer>>;
}

export interface ListRange {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
}

const PAGE_SIZE = 200;
/**
 * Number of smaller pages after which a loop tries a larger one. It doubles each time the larger page is
 * rejected.
 */
const PAGES_BEFORE_GROWTH = 4;

export function listOf<Node>(
  ask: (range: ListRange) => Promise<Page<Node> | null>,
  range: ListRange,
): List<Page<Node> | null> {
  let asked: Promise<Page<Node> | null> | undefined;
  const once = () => (asked ??= ask(range));
  const backward = range.last != null;

  async function* pages(): AsyncGenerator<Page<Node>, void> {
    const limit = backward ? "last" : "first";
    const whole = range[limit] ?? PAGE_SIZE;
    let [size, taken, growsAfter, grown] = [whole, 0, PAGES_BEFORE_GROWTH, false];
    let next: ListRange | null = range;
    while (next) {
      let page: Page<Node> | null;
      try {
        page = await ask({ ...next, [limit]: size });
      } catch (error) {
        if (size < 2 || !(error instanceof TierkeepError) || error.code !== "QUERY_TOO_COMPLEX") throw error;
        if (grown) growsAfter *= 2;
        [size, taken, grown] = [Math.ceil(size / 2), 0, false];
        continue;
      }
      if (!page) return;
      taken += 1;
      grown = size < whole && taken >= growsAfter;
      if (grown) [size, taken] = [Math.min(whole, size * 2), 0];
      yield page;
      const { hasNextPage, hasPreviousPage, startCursor, endCursor } = page.pageInfo;
      const cursor = backward ? hasPreviousPage && startCursor : hasNextPage && endCursor;
      next = cursor ? { ...next, [backward ? "before" : "after"]: cursor } : null;
    }
  }

  return {
    [Symbol.toStringTag]: "List",
    // biome-ignore lint/suspicious/noThenProperty: awaiting the list reads the page
    then: (...handlers) => once().then(...handlers),
    catch: (handler) => once().catch(handler),
    finally: (handler) => once().finally(handler),
    pages,
    async *[Symbol.asyncIterator]() {
      for await (const { nodes } of pages()) yield* backward ? [...nodes].reverse() : nodes;
    },
  };
}
