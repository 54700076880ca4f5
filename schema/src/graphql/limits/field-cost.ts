import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from "../../domain/pages.ts";
import { MAX_KEYS } from "../types/arguments.ts";

/**
 * Cost of a connection in addition to its rows: each connection is a separate read of the catalog, while
 * other fields are read once per level.
 */
const LIST_COST = 50;

/** TierStats always has three entries. */
const TIER_COUNT = 3;

/** Maximum number of files in quarantine that a response lists. */
const QUARANTINED_COUNT = 1000;

interface FieldCost {
  readonly field: number;
  /** The factor for the cost of the field's selection. */
  readonly multiplier: number;
}

/**
 * Returns the cost of one field: about one for each value that it may add to the response. A connection
 * multiplies the cost of its selection by its page size, and a list by the number of requested entries. A
 * size over the maximum costs as much as the maximum, because the request is rejected anyway.
 */
export function fieldCost(
  args: Readonly<Record<string, unknown>>,
  field: { readonly name: string; readonly type: { toString(): string } },
): FieldCost {
  const type = String(field.type);
  if (type.replace(/!$/, "").endsWith("Connection")) {
    return {
      field: LIST_COST,
      multiplier: atMost(MAX_PAGE_SIZE, args.first ?? args.last ?? DEFAULT_PAGE_SIZE),
    };
  }
  const asked = args.ids ?? args.keys;
  if (Array.isArray(asked)) return { field: 1, multiplier: atMost(MAX_KEYS, asked.length) };
  if (type.includes("[QuarantinedFile")) return { field: LIST_COST, multiplier: QUARANTINED_COUNT };
  if (type.includes("TierStats")) return { field: 1, multiplier: TIER_COUNT };
  // The rows of a connection are already multiplied by the connection. Other lists contain scalars and are
  // short.
  return { field: 1, multiplier: 1 };
}

function atMost(most: number, given: unknown): number {
  return typeof given === "number" ? Math.min(Math.max(given, 0), most) : most;
}
