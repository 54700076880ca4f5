import { once } from "node:events";
import type { Writable } from "node:stream";
import pc from "picocolors";
import { type Cell, type Column, type Layout, layoutOf, renderHead, renderRow } from "./table.ts";
import { jsonText, visibleLines } from "./text.ts";

/** Where a command writes: data for programs and people to stdout, talk about it to stderr. */
export interface Output {
  /** True with --json: stdout carries JSON, one value a line, and nothing else. */
  readonly json: boolean;
  /** True where stdout is a terminal, so that messages on stderr stand below the data. */
  readonly isTerminal: boolean;
  /** Aborts when whoever reads stdout has gone away, as `head` does. */
  readonly closed: AbortSignal;
  /** Text for people; nothing with --json. */
  text(text: string): void;
  table(columns: readonly Column[], rows: readonly (readonly Cell[])[]): void;
  /** A table whose rows are not all there yet. Nothing with --json. */
  rows(columns: readonly Column[]): TableRows;
  /**
   * A list of any length: a table for people, a line of JSON for each item with --json. Asks for no more items than
   * stdout takes, and ends early once nobody reads it. Answers with how many items there were.
   *
   * @throws the signal's reason, when that ends a wait for whoever reads stdout
   */
  list<Item>(
    columns: readonly Column[],
    items: AsyncIterable<Item> | Iterable<Item>,
    cellsOf: (item: Item) => readonly Cell[],
    signal?: AbortSignal,
  ): Promise<number>;
  /** One JSON value; nothing without --json. */
  value(value: unknown): void;
  /** What is JSON for people too: with --json a line, without it indented, unless it is one of many. */
  data(value: unknown, indent?: "indented" | "line"): void;
  talk(text: string): void;
  readonly style: {
    bold(text: string): string;
    dim(text: string): string;
    red(text: string): string;
    green(text: string): string;
  };
}

export interface TableRows {
  row(cells: readonly Cell[]): void;
  /** A line of text between the rows. */
  line(text: string): void;
  /** Shows what has come so far. The rows seen by now, or the first many, decide how wide the columns are. */
  flush(): void;
}

type Stream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export interface OutputOptions {
  readonly json?: boolean | undefined;
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly env: { readonly [name: string]: string | undefined };
}

/** How many rows are looked at before a table of any length begins. */
const SAMPLE_ROWS = 200;

export function outputTo({ json = false, stdout, stderr, env }: OutputOptions): Output {
  const closed = new AbortController();
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") closed.abort();
  });
  const colour = isColoured(stdout, env);
  const { bold, dim, red, green } = pc.createColors(colour);
  const talkStyles = colour ? (isColoured(stderr, env) ? "keep" : "drop") : "escape";

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
    talk: (lines) => void stderr.write(`${visibleLines(lines, talkStyles)}\n`),
    style: { bold, dim, red, green },
  };
}

/** https://no-color.org: any value that is not empty means none. */
function isColoured(stream: Stream, env: OutputOptions["env"]): boolean {
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
}

/** How many columns a table may have: COLUMNS, else the terminal's, else any number. */
function widthOf(stream: Stream, { COLUMNS = "" }: OutputOptions["env"]): number {
  if (/^[1-9]\d*$/.test(COLUMNS)) return Number(COLUMNS);
  return (stream.isTTY && stream.columns) || Number.POSITIVE_INFINITY;
}
