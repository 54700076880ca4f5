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
  /** A segment of this many bytes is full. */
  readonly segmentBytes: number;
  readonly eventsAfter: EventsAfter;
  readonly sync: Sync;
}

/** The files of the audit log, open at the place where they go on: lines, and the checkpoints that sign them. */
export class AuditLog {
  readonly #parts: AuditLogParts;
  readonly #checkpoints: CheckpointFile;
  #segment: LogSegment;
  #state: ExportState | null;
  /** It is signed where the segment goes on. */
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

  /** Finds where the log goes on after `state`, which a sync proves to be writable. */
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
   * Writes and signs events; durable when it resolves, and what is to be stored of it. Where it fails it may be called
   * again with the same events.
   */
  async append(events: readonly LifecycleEvent[]): Promise<ExportState> {
    if (this.#isFull()) await this.#rotate();
    if (!this.#isAnnounced) await this.#announce();
    const last = events.at(-1)?.seq ?? 0;
    if (this.#state === null || this.#state.seq < last) this.#state = await this.#segment.append(events);
    const { seq, head } = this.#state;
    const { number: segment } = this.#segment;
    const { newest } = this.#checkpoints;
    // Before a crash they may have been signed together with the next ones.
    if (newest?.segment !== segment || newest.seq < seq)
      await this.#checkpoints.append({ type: "checkpoint", segment, seq, head });
    return this.#state;
  }

  /** False: a file that has a name of ours now is another one, or somebody else wrote to it. */
  async stands(): Promise<boolean> {
    return (await this.#segment.stands()) && (await this.#checkpoints.stands());
  }

  async close(): Promise<void> {
    // Everything that counts has been synced; a file that cannot even be closed has nothing more to tell.
    await Promise.allSettled([this.#segment.close(), this.#checkpoints.close()]);
  }

  /**
   * Not while the next lines are there already. Also where a crash came after checkpoints in a later segment and before
   * the state, whatever size was full then.
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

  /** Signs where the log goes on, unless the newest checkpoint says so already. */
  async #announce(): Promise<void> {
    const { newest } = this.#checkpoints;
    const segment = this.#segment;
    const { number, seq, head, offset, beginning } = segment;
    const here = { segment: number, seq, head };
    if (!isSaid(segment, newest)) {
      if (offset > 0) await this.#checkpoints.append({ type: "checkpoint", ...here });
      else {
        const type = SEGMENT_STARTS[beginning].gap ? "gap" : "segment";
        await this.#checkpoints.append({ type, reason: beginning, ...here });
      }
    }
    this.#isAnnounced = true;
  }
}

function isSaid({ number, seq, head, offset, isAhead }: LogSegment, newest: Checkpoint | null): boolean {
  if (newest === null) return false;
  // They went on in a later segment, and so will the next events.
  if (newest.segment > number) return offset > 0;
  if (newest.segment < number) return false;
  if (newest.seq === seq && newest.head === head && (newest.type === "checkpoint") === offset > 0)
    return true;
  // A crash before the state was stored: those lines are there, and are what comes next.
  return newest.seq > seq && isAhead;
}
