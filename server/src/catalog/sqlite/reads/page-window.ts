import type { PageWindow } from "../../catalog.ts";

/**
 * A page window as an ordered index reads it: where to start, which direction, and where to stop. Rows are
 * read starting at `from`; `inOrder` puts them into the list's order.
 */
export interface Walk<Position> {
  readonly from: Position | null;
  readonly until: Position | null;
  readonly backward: boolean;
  readonly limit: number;
}

export function walk<Position>(window: PageWindow<Position>): Walk<Position> {
  const { after, before, backward, limit } = window;
  return backward
    ? { from: before, until: after, backward, limit }
    : { from: after, until: before, backward, limit };
}

export function inOrder<T>(found: readonly T[], backward: boolean): readonly T[] {
  return backward ? found.toReversed() : found;
}

/** Returns a walk over one column: the condition with its parameters, and the order. */
export function columnWalk(column: string, window: PageWindow<string | number>) {
  const conditions: string[] = [];
  const parameters: (string | number)[] = [];
  if (window.after !== null) {
    conditions.push(`${column} > ?`);
    parameters.push(window.after);
  }
  if (window.before !== null) {
    conditions.push(`${column} < ?`);
    parameters.push(window.before);
  }
  return {
    condition: conditions.map((condition) => ` AND ${condition}`).join(""),
    parameters,
    order: `ORDER BY ${column}${window.backward ? " DESC" : ""} LIMIT ?`,
  };
}
