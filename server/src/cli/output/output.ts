import { once } from "node:events";
import type { Writable } from "node:stream";
import pc from "picocolors";
import { type Cell, type Column, type Layout, layoutOf, renderHead, renderRow } from "./table.ts";
import { jsonText, visibleLines } from "./text.ts";

/** The output of a command: data to stdout, notes for the user to stderr. */
export interface Output {
  /** True with --json: stdout has only JSON, one value per line. */
  readonly json: boolean;
  /** True if stdout is a terminal, where notes on stderr appear below the data. */
  readonly isTerminal: boolean;
  /** Aborts when the reader of stdout has closed it, as `head` does. */
  readonly closed: AbortSignal;
  /** Writes text to stdout; nothing with --json. */
  text(text: string): void;
  table(columns: readonly Column[], rows: readonly (readonly Cell[])[]): void;
  /** Starts a table whose rows are added one by one. Writes nothing with --json. */
  rows(columns: readonly Column[]): TableRows;
  /**
   * Writes a list of any length: as a table, or with --json as a line for each item. Waits for stdout to drain before it
   * requests more items. Stops early when the reader closes stdout. Returns the number of items.
   *
   * @throws the signal's reason, if it aborts during such a wait
   */
  list<Item>(
    columns: readonly Column[],
    items: AsyncIterable<Item> | Iterable<Item>,
    cellsOf: (item: Item) => readonly Cell[],
    signal?: AbortSignal,
  ): Promise<number>;
  /** Writes one JSON value; nothing without --json. */
  value(value: unknown): void;
  /** Writes a value as JSON with and without --json. Without it, the JSON is indented unless `indent` is "line". */
  data(value: unknown, indent?: "indented" | "line"): void;
  /** Writes a message for the user to stderr. */
  note(text: string): void;
  readonly style: {
    bold(text: string): string;
    dim(text: string): string;
    red(text: string): string;
    green(text: string): string;
  };
}

export interface TableRows {
  row(cells: readonly Cell[]): void;
  /** Adds a line of text between rows. */
  line(text: string): void;
  /** Prints the rows so far. These, or the first 200, determine the widths of the columns. */
  flush(): void;
}

type Stream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export interface OutputOptions {
  readonly json?: boolean | undefined;
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly env: { readonly [name: string]: string | undefined };
}

/** Number of rows that determine the widths of the columns before the first one is printed. */
const SAMPLE_ROWS = 200;

export function outputTo({ json = false, stdout, stderr, env }: OutputOptions): Output {
  const closed = new AbortController();
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") closed.abort();
  });
  const colour = isColoured(stdout, env);
  const { bold, dim, red, green } = pc.createColors(colour);
  const noteStyles = colour ? (isColoured(stderr, env) ? "keep" : "drop") : "escape";

  const print = (line: string) => {
    if (!json && !closed.signal.aborted) stdout.write(`${line}\n`);
  };
  const text = (lines: string) => print(visibleLines(lines, colour ? "keep" : "escape"));
  const data = (value: unknown, indent: "indented" | "line" = "indented") => {
    if (!closed.signal.aborted) stdout.write(`${jsonText(value, json || indent === "line" ? 0 : 2)}\n`);
  };
  const value = (value: unknown) => {
    if (json) data(value);
  };

  function rows(columns: readonly Column[]): TableRows {
    let layout: Layout | null = null;
    const waiting: (readonly Cell[] | string)[] = [];
    const show = (row: readonly Cell[] | string, by: Layout) => {
      if (typeof row === "string") text(row);
      else print(renderRow(by, row));
    };
    const flush = () => {
      if (json || layout !== null) return;
      layout = layoutOf(
        columns,
        waiting.filter((row) => typeof row !== "string"),
        widthOf(stdout, env),
      );
      print(renderHead(layout, bold));
      for (const row of waiting.splice(0)) show(row, layout);
    };
    const add = (row: readonly Cell[] | string) => {
      if (json) return;
      if (layout !== null) show(row, layout);
      else if (waiting.push(row) >= SAMPLE_ROWS) flush();
    };
    return { row: add, line: add, flush };
  }

  return {
    json,
    isTerminal: stdout.isTTY === true,
    closed: closed.signal,
    text,
    table(columns, cells) {
      if (json) return;
      const layout = layoutOf(columns, cells, widthOf(stdout, env));
      print([renderHead(layout, bold), ...cells.map((row) => renderRow(layout, row))].join("\n"));
    },
    rows,
    async list(columns, items, cellsOf, signal) {
      const ended = signal === undefined ? closed.signal : AbortSignal.any([closed.signal, signal]);
      const table = rows(columns);
      let count = 0;
      for await (const item of items) {
        if (closed.signal.aborted) break;
        count += 1;
        value(item);
        table.row(cellsOf(item));
        if (!stdout.writableNeedDrain) continue;
        await once(stdout, "drain", { signal: ended }).catch(() => {});
        signal?.throwIfAborted();
      }
      if (count > 0) table.flush();
      return count;
    },
    value,
    data,
    note: (lines) => void stderr.write(`${visibleLines(lines, noteStyles)}\n`),
    style: { bold, dim, red, green },
  };
}

/** NO_COLOR with any value that is not empty turns colours off (https://no-color.org). */
function isColoured(stream: Stream, env: OutputOptions["env"]): boolean {
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
}

/** Returns the maximum width of a table in columns: COLUMNS, else the terminal's width, else Infinity. */
function widthOf(stream: Stream, { COLUMNS = "" }: OutputOptions["env"]): number {
  if (/^[1-9]\d*$/.test(COLUMNS)) return Number(COLUMNS);
  return (stream.isTTY && stream.columns) || Number.POSITIVE_INFINITY;
}
