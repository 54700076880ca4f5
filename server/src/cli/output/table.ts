import cliTruncate from "cli-truncate";
import stringWidth from "string-width";
import { visible } from "./text.ts";

export interface Column {
  readonly head: string;
  readonly align?: "left" | "right";
  /** Minimum width in columns of the terminal, so that later rows stay aligned. */
  readonly minWidth?: number;
  /**
   * What happens to the column if the table is wider than the terminal. "stay": nothing. "shorten": its cells are cut in
   * the middle. "drop": it is left out if the columns that stay and the columns before it leave no room. Default: "stay"
   * for the first column, "drop" for all others.
   */
  readonly narrow?: "stay" | "shorten" | "drop";
}

/** The text of a cell, and optionally its style. */
export type Cell = string | { readonly text: string; readonly style: (text: string) => string };

/** The columns that fit, each with its width. */
export interface Layout {
  readonly columns: readonly { readonly index: number; readonly column: Column; readonly width: number }[];
}

const BETWEEN_COLUMNS = "  ";
/** Minimum width of a shortened column while other columns can be dropped. */
const ROOMY = 24;
/** Minimum width of a shortened column in any case. */
const LEAST = 8;

/** Chooses the columns that fit into a terminal of this width (Infinity: no limit). Their widths depend on `rows`. */
export function layoutOf(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number,
): Layout {
  const all = columns.map((column, index) => ({
    index,
    column,
    width: [column.head, ...rows.map((row) => textOf(row[index]))].reduce(
      (widest, text) => Math.max(widest, stringWidth(text)),
      column.minWidth ?? 0,
    ),
  }));
  const stays = ({ column, index }: (typeof all)[number]) =>
    column.narrow === undefined ? index === 0 : column.narrow !== "drop";
  let room = width - BETWEEN_COLUMNS.length * (all.filter(stays).length - 1);
  for (const each of all.filter(stays)) {
    room -= each.column.narrow === "shorten" ? Math.min(each.width, ROOMY) : each.width;
  }
  const kept = all.filter((each) => {
    if (stays(each)) return true;
    if (each.width + BETWEEN_COLUMNS.length > room) return false;
    room -= each.width + BETWEEN_COLUMNS.length;
    return true;
  });
  const needed = kept.reduce((sum, each) => sum + each.width, BETWEEN_COLUMNS.length * (kept.length - 1));
  for (let excess = needed - width; excess > 0; excess -= 1) {
    const widest = kept
      .filter((each) => each.column.narrow === "shorten" && each.width > LEAST)
      .sort((a, b) => b.width - a.width)[0];
    if (widest === undefined) break;
    widest.width -= 1;
  }
  return { columns: kept };
}

export function renderHead({ columns }: Layout, bold: (text: string) => string): string {
  return renderLine(columns.map((each) => [{ text: each.column.head, style: bold }, each]));
}

export function renderRow({ columns }: Layout, cells: readonly Cell[]): string {
  return renderLine(columns.map((each) => [cells[each.index] ?? "", each]));
}

function renderLine(cells: readonly (readonly [Cell, Layout["columns"][number]])[]): string {
  return cells
    .map(([cell, { column, width }], position) => {
      const text = fitted(textOf(cell), column, width);
      const styled = typeof cell === "string" || text === "" ? text : cell.style(text);
      const padding = " ".repeat(Math.max(0, width - stringWidth(text)));
      if (column.align === "right") return padding + styled;
      return position === cells.length - 1 ? styled : styled + padding;
    })
    .join(BETWEEN_COLUMNS)
    .trimEnd();
}

function fitted(text: string, { narrow }: Column, width: number): string {
  if (narrow !== "shorten" || stringWidth(text) <= width) return text;
  return cliTruncate(text, width, { position: "middle" });
}

function textOf(cell: Cell | undefined): string {
  return visible(typeof cell === "string" ? cell : (cell?.text ?? ""));
}
