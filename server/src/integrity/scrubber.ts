import { setTimeout as timeout } from "node:timers/promises";
import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import type { Catalog } from "../catalog/catalog.ts";
import type { ArtifactRow } from "../catalog/rows.ts";
import type { Clock } from "../engine/clock.ts";
import type { TreePosition } from "../tiers/tier-view.ts";
import type { Checker, ObjectPosition } from "./checker.ts";
import { ReadThrottle, type Sleep } from "./read-throttle.ts";
import { MISCOUNTS_AT_ONCE, miscounted } from "./usage-findings.ts";

const ROWS_AT_ONCE = 100;
/** Cost of opening an artifact, expressed in bytes read. */
const BYTES_PER_ARTIFACT = 64 * 1024;
/** A shorter pause would write the position too often. During a longer one the store may grow too much. */
const LEAST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 3_600_000;
/** Pause between two passes. It applies even if the store is almost empty. */
const BETWEEN_PASSES_MS = 1000;
const RETRY_MS = 60_000;

export interface ScrubberParts {
  readonly catalog: Catalog;
  readonly checker: Checker;
  readonly clock: Clock;
  /** Duration of a pass in days. A pass may be shorter if there is little to read; 0 reads without pauses. */
  readonly days: number;
  /** Limit of the read rate. */
  readonly bytesPerSecond: number;
  /** Reports why scrubbing is interrupted. The scrubber retries by itself. */
  readonly onProblem: (message: string, error?: unknown) => void;
  /** Default: the system's. */
  readonly sleep?: Sleep;
  /** Position where a pass starts, from 0 to 1. Default: random. */
  readonly random?: () => number;
}

/**
 * Stored position: the artifacts from a random row to the last and on from the first, then objects, then the
 * view.
 */
interface Place {
  readonly phase: "artifacts" | "objects" | "tree";
  /** The pass started after this row. */
  readonly from: number;
  readonly after: number;
  /** The pass reached the last row and continued with the first. */
  readonly round: boolean;
  readonly object: ObjectPosition;
  readonly tree: TreePosition | null;
  /** Artifacts checked in this pass. */
  readonly met: number;
  /** The next batch does not start before this time, in ms since the epoch. */
  readonly dueAt: number;
  /** When the previous pass ended, in ms since the epoch. Null in the first pass. */
  readonly lastEndedAt: number | null;
}

/** Figures since the scrubber was started, except where noted. */
export interface ScrubFigures {
  readonly artifacts: number;
  readonly bytes: number;
  /** New findings only. */
  readonly findings: number;
  /** Progress of the current pass, from 0 to 1. */
  readonly progress: number;
  /** ms since the epoch; null if no pass has ended yet. */
  readonly lastPassEndedAt: number | null;
}

/**
 * Checks the store continuously and slowly, one pass after the other. Writes only damage marks and events.
 *
 * Phases of a pass, each stored in the catalog with its position:
 * - artifacts: reads each artifact from a random row on, and compares its checksum and its files in the view
 * - objects: lists the stores for unknown objects
 * - tree: lists the view for unknown files
 * - end: compares the usage counters, then starts the next pass in phase "artifacts"
 *
 * Phases "objects" and "tree" are skipped while a reindex may still adopt unknown files. A process that stops
 * loses at most one batch. An error pauses the scrubber for a minute; `stop` ends it.
 */
export class Scrubber {
  readonly #parts: ScrubberParts;
  readonly #stopping = new AbortController();
  readonly #sleep: Sleep;
  readonly #pace: ReadThrottle;
  #running: Promise<void> = Promise.resolve();
  #figures: ScrubFigures = { artifacts: 0, bytes: 0, findings: 0, progress: 0, lastPassEndedAt: null };

  constructor(parts: ScrubberParts) {
    this.#parts = parts;
    const { signal } = this.#stopping;
    this.#sleep =
      parts.sleep ?? ((ms) => timeout(ms, undefined, { signal, ref: false }).then(undefined, () => {}));
    this.#pace = new ReadThrottle(parts.bytesPerSecond, this.#sleep);
  }

  get figures(): ScrubFigures {
    return this.#figures;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Resolves when no more reads are in progress. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** Checks one batch. Returns the ms to wait before the next one. */
  async turn(): Promise<number> {
    const { catalog, clock } = this.#parts;
    const { position } = await catalog.scrubState();
    const place = (position as Place | null) ?? (await this.#begin(null));
    // If the clock was set back, wait no longer than the longest pause.
    const wait = Math.min(place.dueAt - clock.now(), LONGEST_PAUSE_MS);
    if (wait > 0) return wait;
    this.#pace.begin();
    const next = place.phase === "artifacts" ? await this.#artifacts(place) : await this.#unknown(place);
    if (next === null) return 0;
    const passEnds = next === "end";
    const then = passEnds ? await this.#begin(clock.now()) : next;
    await catalog.commit({ kind: "scrubbed", position: { ...then }, passEnds });
    const { artifactCount } = await this.#held();
    const progress = then.phase === "artifacts" ? Math.min(1, then.met / Math.max(1, artifactCount)) : 1;
    this.#figures = { ...this.#figures, progress, lastPassEndedAt: then.lastEndedAt };
    return Math.max(0, then.dueAt - clock.now());
  }

  async #run(): Promise<void> {
    let failing = false;
    while (!this.#stopping.signal.aborted) {
      let pause: number;
      try {
        pause = await this.turn();
        failing = false;
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        if (!failing)
          this.#parts.onProblem("scrubbing is interrupted; the server retries every minute", error);
        failing = true;
        pause = RETRY_MS;
      }
      await this.#sleep(pause);
    }
  }

  async #begin(lastEndedAt: number | null): Promise<Place> {
    const { catalog, clock, random = Math.random } = this.#parts;
    const from = Math.floor(random() * ((await catalog.lastSeq()) + 1));
    const dueAt = clock.now() + (lastEndedAt === null ? 0 : this.#bounded(BETWEEN_PASSES_MS));
    const at = { after: from, round: false, object: null, tree: null };
    return { phase: "artifacts", from, ...at, met: 0, dueAt, lastEndedAt };
  }

  /** Returns null if the scrubber was stopped first. */
  async #artifacts(place: Place): Promise<Place | null> {
    const { catalog, checker, clock } = this.#parts;
    const found = await catalog.artifactsAfter(place.after, ROWS_AT_ONCE);
    const rows = place.round ? found.filter(({ row }) => row <= place.from) : found;
    if (rows.length === 0) {
      return place.round
        ? { ...place, phase: "objects", dueAt: clock.now() }
        : { ...place, round: true, after: 0, dueAt: clock.now() };
    }
    const { artifactCount, totalBytes } = await this.#held();
    const whole = totalBytes + artifactCount * BYTES_PER_ARTIFACT;
    const pauseOf = (row: ArtifactRow) =>
      (this.#parts.days * DAY_MS * (row.sizeBytes + BYTES_PER_ARTIFACT)) / Math.max(1, whole);
    const part = upTo(LEAST_PAUSE_MS, rows, pauseOf);
    const { signal } = this.#stopping;
    const checked = await checker.check(part, signal, (bytes) => this.#pace.spent(bytes));
    if (checked === null) return null;
    const damaged = checked.findings.filter(({ kind }) => kind === "DAMAGED" || kind === "MISSING").length;
    const known = checked.rows.filter(({ damagedAt }) => damagedAt !== null).length;
    await this.#report(checked.findings, Math.max(0, damaged - known));
    this.#figures = {
      ...this.#figures,
      artifacts: this.#figures.artifacts + checked.rows.length,
      bytes: this.#figures.bytes + checked.bytes,
    };
    await this.#pace.pause();
    const pause = checked.rows.reduce((sum, row) => sum + pauseOf(row), 0);
    return {
      ...place,
      after: checked.rows.at(-1)?.row ?? place.after,
      met: place.met + checked.rows.length,
      dueAt: clock.now() + this.#bounded(pause),
    };
  }

  async #unknown(place: Place): Promise<Place | "end"> {
    const { catalog, checker, clock } = this.#parts;
    let next: Place | "end";
    if (!(await checker.canReportUnknown())) next = "end";
    else if (place.phase === "objects") {
      const found = await checker.unknownObjects(place.object);
      await this.#report(
        found.unknown.map(({ finding }) => finding),
        0,
      );
      next = { ...place, phase: found.ended ? "tree" : "objects", object: found.next };
    } else {
      const found = await checker.unknownFiles(place.tree);
      await this.#report(
        found.unknown.flatMap(({ findings }) => findings),
        0,
      );
      next = found.next === null ? "end" : { ...place, tree: found.next };
    }
    if (next === "end") await this.#report((await catalog.miscounts(MISCOUNTS_AT_ONCE)).map(miscounted), 0);
    await this.#pace.pause();
    return next === "end" ? next : { ...next, dueAt: clock.now() };
  }

  async #report(findings: readonly StoreFinding[], damaged: number): Promise<void> {
    const reported = await this.#parts.checker.report(findings, { actor: "system", jobId: null });
    this.#figures = { ...this.#figures, findings: this.#figures.findings + reported + damaged };
  }

  async #held(): Promise<{ readonly artifactCount: number; readonly totalBytes: number }> {
    const held = Object.values(await this.#parts.catalog.held());
    return {
      artifactCount: held.reduce((sum, { artifactCount }) => sum + artifactCount, 0),
      totalBytes: held.reduce((sum, { totalBytes }) => sum + totalBytes, 0),
    };
  }

  #bounded(pause: number): number {
    return Math.min(pause, LONGEST_PAUSE_MS);
  }
}

/** Returns the first rows whose pauses sum up to at least `ms`; all rows if they do not reach it. */
function upTo(
  ms: number,
  rows: readonly ArtifactRow[],
  pauseOf: (row: ArtifactRow) => number,
): readonly ArtifactRow[] {
  let sum = 0;
  const end = rows.findIndex((row) => {
    sum += pauseOf(row);
    return sum >= ms;
  });
  return end === -1 ? rows : rows.slice(0, end + 1);
}
