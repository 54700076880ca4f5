import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from "../../domain/pages.ts";
import { MAX_KEYS } from "../types/arguments.ts";

/** What a connection is charged beside its rows: the catalog is asked for each, where other fields are read a level at a time. */
const LIST_COST = 50;

/** TierStats come in threes. */
const TIER_COUNT = 3;

/** Most files in quarantine that an answer lists. */
const QUARANTINED_COUNT = 1000;

interface FieldCost {
  readonly field: number;
  /** How often what is selected below the field is charged. */
  readonly multiplier: number;
}

/**
 * What one field costs: about one for each value that it may put into the answer. A connection multiplies what is
 * selected in it by its page size, a list by the entries that were asked for. More than may be asked for is charged as
 * the most that may, for it is refused as that.
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
  // The rows of a connection: it has multiplied them already. Other lists are of scalars, and short.
  return { field: 1, multiplier: 1 };
}

function atMost(most: number, given: unknown): number {
  return typeof given === "number" ? Math.min(Math.max(given, 0), most) : most;
}
