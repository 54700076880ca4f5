interface PageOf<Node> {
  readonly nodes: readonly Node[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

const PAGE = 500;

/** All nodes of a list, or the first so many, asked for page by page. Null stands for a list that is not there. */
export async function* everyNode<Node>(
  ask: (page: { readonly first: number; readonly after: string | null }) => PromiseLike<PageOf<Node> | null>,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<Node> {
  let after: string | null = null;
  for (let left = limit; left > 0; ) {
    const page: PageOf<Node> | null = await ask({ first: Math.min(left, PAGE), after });
    if (page === null) return;
    yield* page.nodes;
    left -= page.nodes.length;
    if (!page.pageInfo.hasNextPage) return;
    after = page.pageInfo.endCursor;
  }
}
