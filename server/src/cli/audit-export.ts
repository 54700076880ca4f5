import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import process from "node:process";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { LifecycleEvent, Tierkeep } from "@tierkeep/sdk";
import { lineFields } from "../audit/jsonl-line.ts";
import { StartProblem } from "./exit-codes.ts";
import type { Output } from "./render-output.ts";
import { counted } from "./render-quantity.ts";
import { systemCodeOf } from "./store-files.ts";

export interface AuditExportOptions {
  /** ISO 8601; inclusive. */
  readonly since?: string | undefined;
  /** ISO 8601; exclusive. */
  readonly until?: string | undefined;
  readonly tenantId?: string | undefined;
  /** Default: stdout. */
  readonly file?: string | undefined;
}

const PAGE_SIZE = 500;

/** Writes the events that match, oldest first, a line each. */
export async function auditExport(
  tierkeep: Tierkeep,
  { since, until, tenantId, file }: AuditExportOptions,
  output: Output,
): Promise<number> {
  let count = 0;
  const events = tierkeep.lifecycleEventHistory({
    where: { since, until, tenantId },
    direction: "ASC",
    first: PAGE_SIZE,
  });
  async function* lines() {
    for await (const event of events) {
      count += 1;
      yield exportedLine(event);
    }
  }
  if (file === undefined) {
    for await (const line of lines()) {
      if (!process.stdout.write(line)) await drained();
      if (hasLeft()) break;
    }
  } else {
    await writeWhole(file, lines());
    output.talk(`${counted(count, "event")} written to ${file}`);
  }
  return 0;
}

function exportedLine(event: LifecycleEvent): string {
  const { cursor, timestamp, ...rest } = event;
  return `${JSON.stringify({ cursor, ...lineFields({ ...rest, timestamp: Date.parse(timestamp) }) })}\n`;
}

function drained(): Promise<void> {
  const { stdout } = process;
  return new Promise((resolve) => {
    for (const event of ["drain", "close", "error"]) stdout.once(event, () => resolve());
    if (hasLeft()) resolve();
  });
}

/** Whoever read stdout reads no more, as `head` does once it has enough. */
function hasLeft(): boolean {
  return process.stdout.destroyed || process.stdout.errored !== null;
}

async function writeWhole(file: string, lines: AsyncIterable<string>): Promise<void> {
  const temporary = `${file}.${randomBytes(8).toString("hex")}.tmp`;
  try {
    await pipeline(Readable.from(lines), createWriteStream(temporary, { flags: "wx", flush: true }));
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new StartProblem(
      `${file} cannot be written (${systemCodeOf(error)}). Name another file with --output.`,
    );
  }
}
