import type { Writable } from "node:stream";
import pc from "picocolors";
import { type Column, renderTable } from "./render-table.ts";

/** Where a command writes: data for programs and people to stdout, talk about it to stderr. */
export interface Output {
  /** True with --json: stdout carries JSON, one value a line, and nothing else. */
  readonly json: boolean;
  /** Text for people; nothing with --json. */
  text(text: string): void;
  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void;
  /** One JSON value; nothing without --json. */
  value(value: unknown): void;
  talk(text: string): void;
  readonly style: {
    bold(text: string): string;
    dim(text: string): string;
    red(text: string): string;
    green(text: string): string;
  };
}

type Stream = Writable & { readonly isTTY?: boolean };

export interface OutputOptions {
  readonly json?: boolean | undefined;
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly env: { readonly [name: string]: string | undefined };
}

export function outputTo({ json = false, stdout, stderr, env }: OutputOptions): Output {
  // https://no-color.org: any value that is not empty means none.
  const colour = stdout.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
  const { bold, dim, red, green } = pc.createColors(colour);
  const text = (line: string) => {
    if (!json) stdout.write(`${line}\n`);
  };
  return {
    json,
    text,
    table: (columns, rows) => text(renderTable(columns, rows, bold)),
    value: (value) => {
      if (json) stdout.write(`${JSON.stringify(value)}\n`);
    },
    talk: (line) => void stderr.write(`${line}\n`),
    style: { bold, dim, red, green },
  };
}
