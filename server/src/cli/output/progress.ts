import process from "node:process";
import type { Writable } from "node:stream";
import { formatBytes, formatDuration } from "./quantity.ts";

/** The unit of progress: bytes, a plural noun such as "files", or a share of 1, which is shown as a percentage only. */
export type ProgressUnit = "bytes" | "share" | (string & {});

/** A progress line on a terminal. It appears after one second and is erased at the end. */
export interface Progress {
  /** `total` null: unknown. `label` replaces the current one. */
  update(done: number, total: number | null, label?: string): void;
  /** Erases the line until the next redraw, so that other output can be written in its place. */
  clear(): void;
  /** Erases the line and stops drawing it. */
  [Symbol.dispose](): void;
}

type Terminal = Writable & { readonly isTTY?: boolean; readonly columns?: number };

const SHOWN_AFTER_MS = 1_000;
const DRAWN_EVERY_MS = 200;
/** The rate is an average over this time. */
const RATE_MS = 5_000;
const BAR_WIDTH = 24;
const ERASE_LINE = "\r\u001b[2K";

/** @param stream where to draw, if it is a terminal; default: stderr, because stdout is for data */
export function startProgress(
  label: string,
  unit: ProgressUnit,
  stream: Terminal = process.stderr,
): Progress {
  const meter = new Meter(performance.now());
  if (stream.isTTY !== true || process.env.TERM === "dumb") {
    return { update() {}, clear() {}, [Symbol.dispose]() {} };
  }
  let shown = false;
  let labelled = label;
  const timer = setInterval(() => {
    const now = performance.now();
    if (now - meter.startedAt < SHOWN_AFTER_MS || meter.isDone) return;
    shown = true;
    // A terminal would wrap a line that reaches its last column.
    const line = progressLine(labelled, unit, meter.reading(now)).slice(0, (stream.columns ?? 80) - 1);
    stream.write(`${ERASE_LINE}${line}`);
  }, DRAWN_EVERY_MS);
  // The timer must not keep the process alive.
  timer.unref();
  function clear(): void {
    if (shown) stream.write(ERASE_LINE);
    shown = false;
  }

  return {
    update(done, total, nextLabel = labelled) {
      labelled = nextLabel;
      meter.update(done, total, performance.now());
    },
    clear,
    [Symbol.dispose]() {
      clearInterval(timer);
      clear();
    },
  };
}

export interface Reading {
  readonly done: number;
  readonly total: number | null;
  /** Units per second in the last seconds; null: not known yet. */
  readonly rate: number | null;
}

/** Measures progress and its rate over the last seconds. All instants are ms of one clock. */
export class Meter {
  readonly startedAt: number;
  #samples: { readonly at: number; readonly done: number }[];
  #total: number | null = null;

  constructor(startedAt: number) {
    this.startedAt = startedAt;
    this.#samples = [{ at: startedAt, done: 0 }];
  }

  get isDone(): boolean {
    return this.#total !== null && this.#last.done >= this.#total;
  }

  get #last(): { readonly at: number; readonly done: number } {
    return this.#samples.at(-1) as { readonly at: number; readonly done: number };
  }

  update(done: number, total: number | null, now: number): void {
    this.#total = total;
    const before = this.#samples.at(-2);
    // A few samples per second are enough for the rate, even with thousands of updates.
    if (before !== undefined && now - before.at < DRAWN_EVERY_MS) this.#samples.pop();
    this.#samples.push({ at: now, done });
  }

  reading(now: number): Reading {
    while (this.#samples.length > 2 && (this.#samples[1]?.at ?? now) < now - RATE_MS) this.#samples.shift();
    const [first] = this.#samples;
    const { done } = this.#last;
    const seconds = first === undefined ? 0 : (now - first.at) / 1_000;
    const rate =
      seconds > 0 && first !== undefined && done > first.done ? (done - first.done) / seconds : null;
    return { done, total: this.#total, rate };
  }
}

/** "Reading report.bin  ██████░░░░░░  50 %  1.5 GiB of 3 GiB  120 MiB/s  13 s left" */
export function progressLine(label: string, unit: ProgressUnit, { done, total, rate }: Reading): string {
  const parts = [label];
  if (total !== null && total > 0) {
    const share = Math.min(1, done / total);
    const filled = Math.floor(share * BAR_WIDTH);
    parts.push(
      "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled),
      `${String(Math.floor(share * 100)).padStart(3)} %`,
    );
  }
  const quantity = (amount: number) => (unit === "bytes" ? formatBytes(amount) : String(Math.floor(amount)));
  if (unit !== "share") {
    const of = total === null ? "" : ` of ${quantity(total)}`;
    parts.push(`${quantity(done)}${of}${unit === "bytes" ? "" : ` ${unit}`}`);
    if (rate !== null) parts.push(`${unit === "bytes" ? formatBytes(rate) : rateOf(rate)}/s`);
  }
  if (rate !== null && total !== null)
    parts.push(`${formatDuration(Math.max(1, Math.ceil((total - done) / rate)))} left`);
  return parts.join("  ");
}

function rateOf(rate: number): string {
  return rate < 10 ? rate.toFixed(1) : String(Math.round(rate));
}
