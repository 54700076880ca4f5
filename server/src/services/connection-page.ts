import type { Page, PageRequest } from "@tierkeep/schema/domain/pages";
import type { PageWindow } from "../catalog/catalog.ts";
import type { Cursors } from "./keyset-cursor.ts";

/** A list that supports paging. */
export interface PagedList<Row, Position, Node> {
  readonly cursors: Cursors<Position>;
  readonly list: (window: PageWindow<Position>) => Promise<readonly Row[]>;
  readonly positionOf: (row: Row) => Position;
  readonly nodeOf: (row: Row) => Node;
  readonly count: () => Promise<number>;
  /**
   * Whether a single row is found without a scan. If so, the page also looks beyond a given cursor; otherwise
   * it returns false for that side, as the Relay specification allows.
   */
  readonly indexed: boolean;
}

/**
 * Returns one page of a list, as specified by Relay's cursor connections. Reads `limit + 1` rows, and one
 * more row for each given cursor if the list is indexed. A limit of 0 returns no edges but correct page
 * facts.
 *
 * @throws Refused CURSOR_INVALID (argument `after` or `before`)
 */
export async function connectionPage<Row, Position, Node>(
  request: PageRequest,
  list: PagedList<Row, Position, Node>,
): Promise<Page<Node>> {
  const { limit, backward } = request;
  const after = request.after === null ? null : list.cursors.decode(request.after, "after");
  const before = request.before === null ? null : list.cursors.decode(request.before, "before");
  const found = await list.list({ after, before, limit: limit + 1, backward });
  const more = found.length > limit;
  const rows = !more ? found : backward ? found.slice(1) : found.slice(0, limit);

  const first = found[0];
  const last = found.at(-1);
  const anyBefore = async () =>
    list.indexed &&
    after !== null &&
    (await isAny(list, null, first === undefined ? before : list.positionOf(first), true));
  const anyAfter = async () =>
    list.indexed &&
    before !== null &&
    (await isAny(list, last === undefined ? after : list.positionOf(last), null, false));
  return {
    edges: rows.map((row) => ({ cursor: list.cursors.encode(list.positionOf(row)), node: list.nodeOf(row) })),
    hasPreviousPage: (more && backward) || (await anyBefore()),
    hasNextPage: (more && !backward) || (await anyAfter()),
    totalCount: list.count,
  };
}

async function isAny<Row, Position, Node>(
  list: PagedList<Row, Position, Node>,
  after: Position | null,
  before: Position | null,
  backward: boolean,
): Promise<boolean> {
  return (await list.list({ after, before, limit: 1, backward })).length > 0;
}
