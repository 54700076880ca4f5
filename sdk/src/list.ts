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
 * A list of which nothing has been asked yet. Awaited, it is the one page that the arguments name, asked for once.
 * Iterated, it is every node from there on, asked for page by page as the loop gets there; `first` is then a page's size
 * (default 200). With `last` it goes from the end to the start. A list of something that is not there has no nodes.
 */
export interface List<Answer> extends Promise<Answer>, AsyncIterable<NodeOf<Answer>> {
  /** The same, a page at a time. */
  pages(): AsyncIterable<NonNullable<Answer>>;
}

export interface ListRange {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
}

const PAGE_SIZE = 200;

export function listOf<Node>(
  ask: (range: ListRange) => Promise<Page<Node> | null>,
  range: ListRange,
): List<Page<Node> | null> {
  let asked: Promise<Page<Node> | null> | undefined;
  const once = () => (asked ??= ask(range));
  const backward = range.last != null;

  async function* pages(): AsyncGenerator<Page<Node>, void> {
    let next: ListRange | null = backward ? range : { ...range, first: range.first ?? PAGE_SIZE };
    while (next) {
      const page: Page<Node> | null = await ask(next);
      if (!page) return;
      yield page;
      const { hasNextPage, hasPreviousPage, startCursor, endCursor } = page.pageInfo;
      const cursor = backward ? hasPreviousPage && startCursor : hasNextPage && endCursor;
      next = cursor ? { ...next, [backward ? "before" : "after"]: cursor } : null;
    }
  }

  return {
    [Symbol.toStringTag]: "List",
    // biome-ignore lint/suspicious/noThenProperty: awaiting it is what asks for the page
    then: (...handlers) => once().then(...handlers),
    catch: (handler) => once().catch(handler),
    finally: (handler) => once().finally(handler),
    pages,
    async *[Symbol.asyncIterator]() {
      for await (const { nodes } of pages()) yield* backward ? [...nodes].reverse() : nodes;
    },
  };
}
