import { isProblem, type StoreFinding, type StoreFindingKind } from "@tierkeep/schema/domain/findings";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { VerifyJob } from "@tierkeep/schema/services/jobs";
import type { StoreCounts } from "../catalog/changes.ts";
import type { ArtifactRow, JobRow } from "../catalog/rows.ts";
import { keyOf } from "../engine/adoption.ts";
import type { TreePosition } from "../tiers/tier-view.ts";
import { type JobParts, type JobWork, storePosition, succeeded, type WorkedSeconds } from "./job-work.ts";

/** Where a verification stands: among the artifacts, then among the objects, then in the tree. */
interface Place {
  readonly phase: "artifacts" | "objects" | "tree";
  readonly after: ArtifactKey | null;
  readonly object: string | null;
  readonly tree: TreePosition | null;
}

const START: Place = { phase: "artifacts", after: null, object: null, tree: null };

/** Reads every byte of every artifact, then looks for what no artifact is. */
export class VerifyRun {
  readonly #parts: JobParts;
  readonly #row: JobRow;
  readonly #job: VerifyJob;
  readonly #worked: WorkedSeconds;
  readonly #signal: AbortSignal;

  constructor(parts: JobParts, row: JobRow, job: VerifyJob, worked: WorkedSeconds, signal: AbortSignal) {
    this.#parts = parts;
    this.#row = row;
    this.#job = job;
    this.#worked = worked;
    this.#signal = signal;
  }

  async *work(): JobWork {
    const { catalog, checker } = this.#parts.engine;
    const selection = this.#job.tenantId === null ? {} : { tenantId: this.#job.tenantId };
    let place = { ...START, ...(this.#row.position as Partial<Place> | null) };
    if (this.#row.expected === null)
      await this.#store(place, [], {}, await catalog.countArtifacts(selection));

    while (place.phase === "artifacts") {
      const rows = await this.#next(place.after);
      const checked = await checker.check(rows, this.#signal);
      if (checked !== null) {
        const last = checked.rows.at(-1);
        place = last ? { ...place, after: keyOf(last) } : { ...place, phase: "objects" };
        const counts = { checked: checked.rows.length, checkedBytes: checked.bytes };
        await this.#store(place, checked.findings, counts);
      }
      yield;
    }
    // What belongs to no artifact belongs to no tenant.
    if (this.#job.tenantId !== null) return succeeded;
    while (place.phase === "objects") {
      const { findings, next } = await checker.strayObjects(place.object);
      place = next === null ? { ...place, phase: "tree" } : { ...place, object: next };
      await this.#store(place, findings);
      yield;
    }
    for (;;) {
      const { findings, next } = await checker.strayFiles(place.tree);
      if (next === null) return succeeded;
      place = { ...place, tree: next };
      await this.#store(place, findings);
      yield;
    }
  }

  #next(after: ArtifactKey | null): Promise<readonly ArtifactRow[]> {
    const { engine, batchSize } = this.#parts;
    return engine.catalog.listArtifacts(
      this.#job.tenantId === null ? {} : { tenantId: this.#job.tenantId },
      { field: "KEY", direction: "ASC" },
      { after: after && { key: after }, before: null, limit: batchSize, backward: false },
    );
  }

  async #store(
    place: Place,
    findings: readonly StoreFinding[],
    checked: StoreCounts = {},
    expected?: number,
  ): Promise<void> {
    await this.#parts.engine.checker.tell(findings, { actor: this.#row.actor, jobId: this.#job.id });
    const of = (kind: StoreFindingKind) => findings.filter((finding) => finding.kind === kind).length;
    const counts = { ...checked, damaged: of("DAMAGED"), missing: of("MISSING"), stray: of("STRAY") };
    const treated = checked.checked ?? 0;
    await storePosition(this.#parts, this.#row, this.#worked, { ...place }, expected, {
      findings: findings.filter(isProblem),
      counts,
      treated,
    });
  }
}
