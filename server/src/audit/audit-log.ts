import type { LifecycleEvent } from "@tierkeep/schema/domain/events";
import type { ExportState } from "../catalog/rows.ts";
import { type Checkpoint, SEGMENT_STARTS } from "./checkpoint.ts";
import { CheckpointFile } from "./checkpoint-file.ts";
import type { Sync } from "./log-file.ts";
import { type EventsAfter, LogSegment } from "./log-segment.ts";
import type { SigningKey } from "./signing-key.ts";

export interface AuditLogParts {
  readonly directory: string;
  readonly key: SigningKey;
  /** Size at which a segment is full, in bytes. */
  readonly segmentBytes: number;
  readonly eventsAfter: EventsAfter;
  readonly sync: Sync;
}

/**
 * The open files of the audit log, positioned where they continue: lines, and the checkpoints that sign them.
 *
 * Segments: the current one takes lines until it is full; then the next one is opened and its start is signed
 * before its first line. A failed append leaves the log usable: the same events may be appended again.
 */
export class AuditLog {
  readonly #parts: AuditLogParts;
  readonly #checkpoints: CheckpointFile;
  #segment: LogSegment;
  #state: ExportState | null;
  /** Whether the position of the segment is signed. */
  #isAnnounced = false;

  private constructor(
    parts: AuditLogParts,
    state: ExportState | null,
    segment: LogSegment,
    checkpoints: CheckpointFile,
  ) {
    this.#parts = parts;
    this.#state = state;
    this.#segment = segment;
    this.#checkpoints = checkpoints;
  }

  /** Opens the log where it continues after `state`. A sync proves that it can be written. */
  static async open(parts: AuditLogParts, state: ExportState | null): Promise<AuditLog> {
    const segment = await LogSegment.open({ ...parts, state });
    let checkpoints: CheckpointFile | null = null;
    try {
      await segment.sync();
      checkpoints = await CheckpointFile.open(parts.directory, parts.key, parts.sync);
      const log = new AuditLog(parts, state, segment, checkpoints);
      await log.#announce();
      return log;
    } catch (error) {
      await Promise.allSettled([segment.close(), checkpoints?.close()]);
      throw error;
    }
  }

  /**
   * Writes and signs events. Resolves with the state to store once they are durable. After a failure it may
   * be called again with the same events.
   */
  async append(events: readonly LifecycleEvent[]): Promise<ExportState> {
    if (this.#isFull()) await this.#rotate();
    if (!this.#isAnnounced) await this.#announce();
    const last = events.at(-1)?.seq ?? 0;
    if (this.#state === null || this.#state.seq < last) this.#state = await this.#segment.append(events);
    const { seq, head } = this.#state;
    const { number: segment } = this.#segment;
    const { newest } = this.#checkpoints;
    // Before a crash, these events may have been signed together with the next ones.
    if (newest?.segment !== segment || newest.seq < seq)
      await this.#checkpoints.append({ type: "checkpoint", segment, seq, head });
    return this.#state;
  }

  /**
   * Returns whether the files are still the same and have their sizes. False: one was replaced, or another
   * program wrote to it.
   */
  async isIntact(): Promise<boolean> {
    return (await this.#segment.isIntact()) && (await this.#checkpoints.isIntact());
  }

  async close(): Promise<void> {
    // All data has been synced, so errors of closing are ignored.
    await Promise.allSettled([this.#segment.close(), this.#checkpoints.close()]);
  }

  /**
   * Returns whether to start the next segment. Not while the next lines are already in the file. Also after a
   * crash between the checkpoints of a later segment and the state, whatever size was the limit then.
   */
  #isFull(): boolean {
    const { offset, number } = this.#segment;
    const newest = this.#checkpoints.newest?.segment ?? 0;
    if (offset === 0 || this.#segment.isAhead) return false;
    return offset >= this.#parts.segmentBytes || newest > number;
  }

  async #rotate(): Promise<void> {
    const full = this.#segment;
    this.#segment = await LogSegment.open({ ...this.#parts, state: this.#state, full: full.number });
    this.#isAnnounced = false;
    await full.close();
  }

  /** Signs where the log continues, unless the newest checkpoint states it already. */
  async #announce(): Promise<void> {
    const { newest } = this.#checkpoints;
    const segment = this.#segment;
    const { number, seq, head, offset, beginning } = segment;
    const here = { segment: number, seq, head };
    if (!isStated(segment, newest)) {
      if (offset > 0) await this.#checkpoints.append({ type: "checkpoint", ...here });
      else {
        const type = SEGMENT_STARTS[beginning].gap ? "gap" : "segment";
        await this.#checkpoints.append({ type, reason: beginning, ...here });
      }
    }
    this.#isAnnounced = true;
  }
}

function isStated({ number, seq, head, offset, isAhead }: LogSegment, newest: Checkpoint | null): boolean {
  if (newest === null) return false;
  // The log continued in a later segment, and so will the next events.
  if (newest.segment > number) return offset > 0;
  if (newest.segment < number) return false;
  if (newest.seq === seq && newest.head === head && (newest.type === "checkpoint") === offset > 0)
    return true;
  // A crash before the state was stored: those lines exist and are the next ones.
  return newest.seq > seq && isAhead;
}
