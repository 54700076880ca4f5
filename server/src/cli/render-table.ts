import Table from "cli-table3";

export interface Column {
  readonly head: string;
  readonly align?: "left" | "right";
}

const BETWEEN_COLUMNS = "  ";

/** Columns aligned with spaces, wide characters counted as such; a line a row, without a line break at the end. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  bold: (text: string) => string = (text) => text,
): string {
  const table = new Table({
    head: columns.map(({ head }) => bold(head)),
    colAligns: columns.map(({ align = "left" }) => align),
    chars: {
      ...{ top: "", "top-left": "", "top-mid": "", "top-right": "" },
      ...{ bottom: "", "bottom-left": "", "bottom-mid": "", "bottom-right": "" },
      ...{ mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
      ...{ left: "", middle: BETWEEN_COLUMNS, right: "" },
    },
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  for (const row of rows) table.push([...row]);
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}
