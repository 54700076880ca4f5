import { setTimeout as sleep } from "node:timers/promises";
import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { StoreFinding, StoreFindingKind } from "@tierkeep/schema/domain/findings";
import { type ArtifactKey, keyOf } from "@tierkeep/schema/domain/keys";
import type { VerifyJob } from "@tierkeep/schema/services/jobs";
import type { StoreCounts } from "../catalog/job-changes.ts";
import type { ArtifactRow } from "../catalog/rows.ts";
import { overdueFinding } from "../integrity/overdue-finding.ts";
import { MISCOUNTS_AT_ONCE, miscounted } from "../integrity/usage-findings.ts";
import type { TreePosition } from "../tiers/tier-view.ts";
import { JobRun, type JobWork, succeeded } from "./job-work.ts";

/** Where a verification stands: among the artifacts, in the tree, among the objects, at what can be healed, at the counters, and at what is overdue. */
interface Place {
  readonly phase: "artifacts" | "tree" | "objects" | "damage" | "counters" | "overdue" | "done";
  readonly after: ArtifactKey | null;
  readonly tree: TreePosition | null;
  readonly object: string | null;
  /** Row of the damaged artifact that was treated last. */
  readonly damaged: number;
}

const START: Place = { phase: "artifacts", after: null, tree: null, object: null, damaged: 0 };

/** Longest that a verification waits for what is overdue to be done: what waits longest is done first. */
const UPKEEP_MS = 30_000;

/** What came of a batch. */
interface Batch {
  readonly next: Place;
  readonly findings: readonly StoreFinding[];
  readonly counts?: StoreCounts;
}

/**
 * Reads every byte of every artifact, then looks for what no artifact is, and counts everything. A repair mends what that
 * has found: strays go to quarantine before anybody looks there for the bytes of what is damaged.
 *
 * A batch that was under way when the process died is done again. What it had mended is found no more, so what is mended is
 * told and counted by the commit that mends it or, where files are moved, by one before that.
 */
export class VerifyRun extends JobRun<VerifyJob> {
  override async *work(): JobWork {
    const { catalog } = this.parts.engine;
    const selection = this.job.tenantId === null ? {} : { tenantId: this.job.tenantId };
    let place = resumed({ ...START, ...(this.row.position as Partial<Place> | null) });
    if (this.row.expected === null) await this.#store(place, [], {}, await catalog.countArtifacts(selection));
    while (place.phase !== "done") {
      const batch: Batch | null = await this.#batch(place);
      // Null: it was told to stop first.
      if (batch !== null) {
        await this.#store(batch.next, batch.findings, batch.counts);
        place = batch.next;
      }
      yield;
    }
    return succeeded;
  }

  #batch(place: Place): Promise<Batch | null> {
    switch (place.phase) {
      case "artifacts":
        return this.#artifacts(place);
      case "tree":
        return this.#tree(place);
      case "objects":
        return this.#objects(place);
      case "damage":
        return this.#damage(place);
      case "counters":
        return this.#counters(place);
      case "overdue":
        return this.#overdue(place);
      case "done":
        throw new Error("There is nothing left to verify.");
    }
  }

  async #artifacts(place: Place): Promise<Batch | null> {
    const { checker, repairer } = this.parts.engine;
    const rows = await this.#next(place.after);
    const checked = await checker.check(rows, this.signal);
    if (checked === null) return null;
    const last = checked.rows.at(-1);
    const counts = { checked: checked.rows.length, checkedBytes: checked.bytes };
    await this.#tell(checked.findings);
    if (last !== undefined) {
      const findings = this.job.repair ? await repairer.republish(this.#by, checked) : checked.findings;
      return { next: { ...place, after: keyOf(last) }, findings, counts };
    }
    // What belongs to no artifact belongs to no tenant.
    return { next: { ...place, phase: this.job.tenantId === null ? "tree" : "done" }, findings: [] };
  }

  async #tree(place: Place): Promise<Batch | null> {
    const { checker, repairer } = this.parts.engine;
    const { strays, next } = await checker.unknownFiles(place.tree);
    const then: Place = next === null ? { ...place, phase: "objects" } : { ...place, tree: next };
    if (this.job.repair) {
      const left = await repairer.treatFiles(this.#by, strays, this.signal);
      return left && { next: then, findings: left };
    }
    const findings = strays.flatMap((stray) => stray.findings);
    await this.#tell(findings);
    return { next: then, findings };
  }

  async #objects(place: Place): Promise<Batch> {
    const { checker, repairer } = this.parts.engine;
    const { repair } = this.job;
    const { strays, next } = await checker.unknownObjects(place.object);
    const then: Place =
      next === null ? { ...place, phase: repair ? "damage" : "counters" } : { ...place, object: next };
    if (repair) {
      await repairer.quarantineObjects(this.#by, strays);
      return { next: then, findings: [] };
    }
    const findings = strays.map(({ finding }) => finding);
    await this.#tell(findings);
    return { next: then, findings };
  }

  async #damage(place: Place): Promise<Batch | null> {
    const { catalog, contentRecovery } = this.parts.engine;
    const rows = await catalog.damagedAfter(place.damaged, this.parts.batchSize);
    if (!(await contentRecovery.recover(this.#by, rows, this.signal))) return null;
    const last = rows.at(-1);
    const next: Place =
      last === undefined ? { ...place, phase: "counters" } : { ...place, damaged: last.row };
    return { next, findings: [] };
  }

  async #counters(place: Place): Promise<Batch> {
    const { catalog, repairer } = this.parts.engine;
    const miscounts = await catalog.miscounts(MISCOUNTS_AT_ONCE);
    const findings = miscounts.map(miscounted);
    await this.#tell(findings);
    const then: Place = { ...place, phase: "overdue" };
    if (!this.job.repair) return { next: then, findings };
    await repairer.recount(this.#by, miscounts);
    // There may be more.
    return { next: miscounts.length < MISCOUNTS_AT_ONCE ? then : place, findings: [] };
  }

  async #overdue(place: Place): Promise<Batch> {
    const { catalog, clock, drain } = this.parts.engine;
    const before = clock.now() - DAY_MS;
    const next: Place = { ...place, phase: "done" };
    if (overdueFinding(await catalog.overdue(before)) === null) return { next, findings: [] };
    // A server that has just started, or a repair, may have left it to be done this very moment.
    const given = new AbortController();
    const { signal } = given;
    await Promise.race([
      drain(),
      sleep(UPKEEP_MS, undefined, { signal: AbortSignal.any([signal, this.signal]) }).catch(() => {}),
    ]);
    given.abort();
    const finding = overdueFinding(await catalog.overdue(before));
    const findings = finding === null ? [] : [finding];
    await this.#tell(findings);
    return { next, findings };
  }

  get #by() {
    return { jobId: this.job.id, actor: this.row.actor };
  }

  async #tell(findings: readonly StoreFinding[]): Promise<void> {
    await this.parts.engine.checker.tell(findings, this.#by);
  }

  #next(after: ArtifactKey | null): Promise<readonly ArtifactRow[]> {
    const { engine, batchSize } = this.parts;
    return engine.catalog.listArtifacts(
      this.job.tenantId === null ? {} : { tenantId: this.job.tenantId },
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
    const of = (kind: StoreFindingKind) => findings.filter((finding) => finding.kind === kind).length;
    const counts = { ...checked, damaged: of("DAMAGED"), missing: of("MISSING"), stray: of("STRAY") };
    const treated = checked.checked ?? 0;
    await this.store(place, expected, {
      findings,
      counts,
      treated,
    });
  }
}

/**
 * What a batch had healed when it was cut off may have left its old object where nothing names it, with bytes that another
 * artifact lacks: such strays go to quarantine first.
 */
function resumed(place: Place): Place {
  return place.phase === "damage" ? { ...place, phase: "objects", object: null, damaged: 0 } : place;
}
