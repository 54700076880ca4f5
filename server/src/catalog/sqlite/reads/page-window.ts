import type { Stretch } from "../../catalog.ts";

/**
 * What a stretch asks of an ordered index: where to begin, which way to go, and where to stop. Rows come nearest first,
 * and `inOrder` turns what was found into the list's order.
 */
export interface Walk<Position> {
  readonly from: Position | null;
  readonly until: Position | null;
  readonly backward: boolean;
  readonly limit: number;
}

export function walk<Position>(stretch: Stretch<Position>): Walk<Position> {
  const { after, before, backward, limit } = stretch;
  return backward
    ? { from: before, until: after, backward, limit }
    : { from: after, until: before, backward, limit };
}

export function inOrder<T>(found: readonly T[], backward: boolean): readonly T[] {
  return backward ? found.toReversed() : found;
}

/** A walk over one column: the condition, the order, and the parameters that go with the condition. */
export function columnWalk(column: string, stretch: Stretch<string | number>) {
  const conditions: string[] = [];
  const parameters: (string | number)[] = [];
  if (stretch.after !== null) {
    conditions.push(`${column} > ?`);
    parameters.push(stretch.after);
  }
  if (stretch.before !== null) {
    conditions.push(`${column} < ?`);
    parameters.push(stretch.before);
  }
  return {
    condition: conditions.map((condition) => ` AND ${condition}`).join(""),
    parameters,
    order: `ORDER BY ${column}${stretch.backward ? " DESC" : ""} LIMIT ?`,
  };
}
