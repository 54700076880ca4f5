import { setTimeout as timeout } from "node:timers/promises";
import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import type { Catalog } from "../catalog/catalog.ts";
import type { ArtifactRow } from "../catalog/rows.ts";
import type { Clock } from "../engine/clock.ts";
import type { TreePosition } from "../tiers/tier-view.ts";
import type { Checker } from "./checker.ts";
import { ReadThrottle, type Sleep } from "./read-throttle.ts";
import { MISCOUNTS_AT_ONCE, miscounted } from "./usage-findings.ts";

const ROWS_AT_ONCE = 100;
/** To read an artifact costs as much as so many bytes more. */
const BYTES_PER_ARTIFACT = 64 * 1024;
/** A pause is no shorter, so that a position is not written more often; and no longer, for the store may have grown. */
const LEAST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 3_600_000;
/** Before everything is gone through once more, even if it is very little. */
const BETWEEN_PASSES_MS = 1000;
const RETRY_MS = 60_000;

export interface ScrubberParts {
  readonly catalog: Catalog;
  readonly checker: Checker;
  readonly clock: Clock;
  /** A pass takes so long, or less where there is little to read; 0: no longer than reading takes. */
  readonly days: number;
  /** Most that is read in a second. */
  readonly bytesPerSecond: number;
  /** Told what keeps it from going on; it tries again by itself. */
  readonly onProblem: (message: string, error?: unknown) => void;
  /** Default: the system's. */
  readonly sleep?: Sleep;
  /** From 0 to 1, where a pass begins. Default: at random. */
  readonly random?: () => number;
}

/** Where it stands: among the artifacts, from a random one to the last and round to that one, then objects, then the tree. */
interface Place {
  readonly phase: "artifacts" | "objects" | "tree";
  /** Rows: the pass began after this one. */
  readonly from: number;
  readonly after: number;
  /** It has come to the last row and begun again with the first. */
  readonly round: boolean;
  readonly object: string | null;
  readonly tree: TreePosition | null;
  /** Artifacts met in this pass. */
  readonly met: number;
  /** Nothing is read before this, ms since the epoch. */
  readonly dueAt: number;
  /** When the pass before ended; null: this is the first. */
  readonly lastEndedAt: number | null;
}

/** Since the scrubber was started, but for where it says otherwise. */
export interface ScrubFigures {
  readonly artifacts: number;
  readonly bytes: number;
  /** New ones. */
  readonly findings: number;
  /** Of this pass, from 0 to 1. */
  readonly progress: number;
  /** ms since the epoch; null: never yet. */
  readonly lastPassEndedAt: number | null;
}

/**
 * Goes through the whole store again and again, slowly: reads every artifact and compares its checksum and its places in
 * the tree, then looks for objects and files that are no artifact's, and last at the counters. It changes nothing but the
 * marks and events of what it finds. Its position is in the catalog: what ends the process costs it a batch.
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

  /** Resolves when it reads nothing any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** Treats a batch, and says how long to wait for the next one, in ms. */
  async turn(): Promise<number> {
    const { catalog, clock } = this.#parts;
    const { position } = await catalog.scrubState();
    const place = (position as Place | null) ?? (await this.#begin(null));
    // A clock that was set back is not waited for.
    const wait = Math.min(place.dueAt - clock.now(), LONGEST_PAUSE_MS);
    if (wait > 0) return wait;
    this.#pace.begin();
    const next = place.phase === "artifacts" ? await this.#artifacts(place) : await this.#strays(place);
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
        if (!failing) this.#parts.onProblem("scrubbing cannot go on; it is tried again every minute", error);
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

  /** Null: it was stopped first. */
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
    await this.#told(checked.findings, Math.max(0, damaged - known));
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

  async #strays(place: Place): Promise<Place | "end"> {
    const { catalog, checker, clock } = this.#parts;
    let next: Place | "end";
    if (!(await checker.knowsTheStore())) next = "end";
    else if (place.phase === "objects") {
      const found = await checker.unknownObjects(place.object);
      await this.#told(
        found.strays.map(({ finding }) => finding),
        0,
      );
      next = found.next === null ? { ...place, phase: "tree" } : { ...place, object: found.next };
    } else {
      const found = await checker.unknownFiles(place.tree);
      await this.#told(
        found.strays.flatMap(({ findings }) => findings),
        0,
      );
      next = found.next === null ? "end" : { ...place, tree: found.next };
    }
    if (next === "end") await this.#told((await catalog.miscounts(MISCOUNTS_AT_ONCE)).map(miscounted), 0);
    await this.#pace.pause();
    return next === "end" ? next : { ...next, dueAt: clock.now() };
  }

  async #told(findings: readonly StoreFinding[], damaged: number): Promise<void> {
    const told = await this.#parts.checker.tell(findings, { actor: "system", jobId: null });
    this.#figures = { ...this.#figures, findings: this.#figures.findings + told + damaged };
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

/** The first rows whose pauses come to `ms` together; all of them where they do not. */
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
