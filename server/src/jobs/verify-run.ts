import { setTimeout as sleep } from "node:timers/promises";
import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { StoreFinding, StoreFindingKind } from "@tierkeep/schema/domain/findings";
import { type ArtifactKey, keyOf } from "@tierkeep/schema/domain/keys";
import type { VerifyJob } from "@tierkeep/schema/services/jobs";
import type { StoreCounts } from "../catalog/job-changes.ts";
import type { ArtifactRow } from "../catalog/rows.ts";
import type { ObjectPosition } from "../integrity/checker.ts";
import { overdueFinding } from "../integrity/overdue-finding.ts";
import { MISCOUNTS_AT_ONCE, miscounted } from "../integrity/usage-findings.ts";
import type { TreePosition } from "../tiers/tier-view.ts";
import { JobRun, type JobWork, succeeded } from "./job-work.ts";

/** Stored position of a verification, with the phases in their order. */
interface Place {
  readonly phase: "artifacts" | "tree" | "objects" | "damage" | "counters" | "overdue" | "done";
  readonly after: ArtifactKey | null;
  readonly tree: TreePosition | null;
  readonly object: ObjectPosition;
  /** Row of the last damaged artifact that was processed. */
  readonly damaged: number;
}

const START: Place = { phase: "artifacts", after: null, tree: null, object: null, damaged: 0 };

/** Longest wait for overdue background work, in ms. The oldest work is done first. */
const UPKEEP_MS = 30_000;

/** Result of a batch. */
interface Batch {
  readonly next: Place;
  readonly findings: readonly StoreFinding[];
  readonly counts?: StoreCounts;
}

/**
 * Reads every byte of every artifact, then searches for unknown files and objects, and compares the usage
 * counters. A repair also fixes what it finds. It moves unknown objects to quarantine before it searches the
 * quarantine for the bytes of damaged artifacts.
 *
 * Phases: artifacts, tree, objects, damage (repairs only), counters, overdue, done. With a tenant, only
 * artifacts.
 *
 * A batch that was in progress when the process died is repeated. The repeated batch no longer finds what the
 * first one fixed. So a fix is logged and counted by its own commit, or, where files are moved, by a commit
 * before it.
 */
export class VerifyRun extends JobRun<VerifyJob> {
  override async *work(): JobWork {
    const { catalog } = this.parts.engine;
    const selection = this.job.tenantId === null ? {} : { tenantId: this.job.tenantId };
    let place = resumed({ ...START, ...(this.row.position as Partial<Place> | null) });
    if (this.row.expected === null) await this.#store(place, [], {}, await catalog.countArtifacts(selection));
    while (place.phase !== "done") {
      const batch: Batch | null = await this.#batch(place);
      // Null: the job was asked to stop first.
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
    await this.#report(checked.findings);
    if (last !== undefined) {
      const findings = this.job.repair ? await repairer.republish(this.#by, checked) : checked.findings;
      return { next: { ...place, after: keyOf(last) }, findings, counts };
    }
    // Files without an artifact belong to no tenant.
    return { next: { ...place, phase: this.job.tenantId === null ? "tree" : "done" }, findings: [] };
  }

  async #tree(place: Place): Promise<Batch | null> {
    const { checker, repairer } = this.parts.engine;
    const { unknown, next } = await checker.unknownFiles(place.tree);
    const then: Place = next === null ? { ...place, phase: "objects" } : { ...place, tree: next };
    if (this.job.repair) {
      const left = await repairer.repairFiles(this.#by, unknown, this.signal);
      return left && { next: then, findings: left };
    }
    const findings = unknown.flatMap((entry) => entry.findings);
    await this.#report(findings);
    return { next: then, findings };
  }

  async #objects(place: Place): Promise<Batch> {
    const { checker, repairer } = this.parts.engine;
    const { repair } = this.job;
    const { unknown, next, ended } = await checker.unknownObjects(place.object);
    const phase = ended ? (repair ? "damage" : "counters") : "objects";
    const then: Place = { ...place, phase, object: next };
    if (repair) {
      await repairer.quarantineObjects(this.#by, unknown);
      return { next: then, findings: [] };
    }
    const findings = unknown.map(({ finding }) => finding);
    await this.#report(findings);
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
    await this.#report(findings);
    const then: Place = { ...place, phase: "overdue" };
    if (!this.job.repair) return { next: then, findings };
    await repairer.correctUsage(this.#by, miscounts);
    // There may be more.
    return { next: miscounts.length < MISCOUNTS_AT_ONCE ? then : place, findings: [] };
  }

  async #overdue(place: Place): Promise<Batch> {
    const { catalog, clock, drain, stores } = this.parts.engine;
    const before = clock.now() - DAY_MS;
    const graceMs = Object.fromEntries([...stores].map(([id, store]) => [id, store.graceMs]));
    const next: Place = { ...place, phase: "done" };
    if (overdueFinding(await catalog.overdue(before, graceMs)) === null) return { next, findings: [] };
    // A server that has just started, or a repair, may have such work in progress right now.
    const given = new AbortController();
    const { signal } = given;
    await Promise.race([
      drain(),
      sleep(UPKEEP_MS, undefined, { signal: AbortSignal.any([signal, this.signal]) }).catch(() => {}),
    ]);
    given.abort();
    const finding = overdueFinding(await catalog.overdue(before, graceMs));
    const findings = finding === null ? [] : [finding];
    await this.#report(findings);
    return { next, findings };
  }

  get #by() {
    return { jobId: this.job.id, actor: this.row.actor };
  }

  async #report(findings: readonly StoreFinding[]): Promise<void> {
    await this.parts.engine.checker.report(findings, this.#by);
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
    await this.store(this.advance({ ...place }, expected, { findings, counts, treated }));
  }
}

/**
 * Returns the position to resume from. An interrupted recovery may have left an old object that no row names
 * and whose bytes another artifact needs. So the objects phase runs again and moves such objects to
 * quarantine first.
 */
function resumed(place: Place): Place {
  return place.phase === "damage" ? { ...place, phase: "objects", object: null, damaged: 0 } : place;
}
