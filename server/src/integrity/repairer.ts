import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import { keyOf } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Catalog } from "../catalog/catalog.ts";
import type { Miscount } from "../catalog/miscounts.ts";
import type { Clock } from "../engine/clock.ts";
import { commitAllOf } from "../engine/commit-all.ts";
import type { TierStore } from "../tiers/tier-store.ts";
import type { TierView } from "../tiers/tier-view.ts";
import type { Adopter } from "./adopter.ts";
import { chooseFile } from "./adoption.ts";
import type { Checked, Checker, UnknownEntry, UnknownObject } from "./checker.ts";
import { recounted } from "./usage-findings.ts";

export interface RepairerParts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly stores: ReadonlyMap<string, TierStore>;
  readonly view: TierView | null;
  readonly checker: Checker;
  /** Null without a view. */
  readonly adopter: Adopter | null;
}

/** The job that repairs, and its actor. */
export interface RepairJob {
  readonly jobId: string;
  readonly actor: string;
}

/**
 * Repairs what a check has found, except damaged bytes: `ContentRecovery` does that. Moves files to
 * quarantine and deletes nothing.
 */
export class Repairer {
  readonly #parts: RepairerParts;

  constructor(parts: RepairerParts) {
    this.#parts = parts;
  }

  /**
   * Returns the reason why a repair is refused; null if it may run. While the catalog has no rows, every
   * object would be unknown.
   */
  async refusal(): Promise<Refused | null> {
    const { checker } = this.#parts;
    if (!(await checker.canReportUnknown()))
      return new Refused(
        "CONFLICT",
        "The catalog does not describe the stored files: the catalog was lost, the files are from another system, or a reindex is not confirmed. A repair would move all of these files to quarantine. Run tierkeep reindex first, and confirm the reindex.",
      );
    return null;
  }

  /**
   * Makes the view match these artifacts, if their own bytes are intact: copies become links, other files are
   * moved to quarantine. Separate commits log this. Returns the remaining findings.
   */
  async republish(
    { jobId }: RepairJob,
    { rows, findings, copies }: Checked,
  ): Promise<readonly StoreFinding[]> {
    const ofRow = Map.groupBy(findings, nameOf);
    // Do not link a damaged object: the file in the tree may be the last one with the correct bytes.
    const repairable = rows.filter((row) =>
      ofRow.get(nameOf(row))?.every(({ kind }) => kind === "VIEW_DIFFERS"),
    );
    const names = new Set(repairable.map(nameOf));
    await this.#parts.view?.relink(copies.filter(({ key }) => names.has(nameOf(key))));
    await commitAllOf(
      this.#parts.catalog,
      repairable.map((row) => ({
        kind: "republish" as const,
        key: keyOf(row),
        found: { jobId, findings: (ofRow.get(nameOf(row)) ?? []).map(republished) },
      })),
    );
    return findings.filter((finding) => !names.has(nameOf(finding)));
  }

  /**
   * Moves these objects to quarantine. Logs them first, once per object: a batch may be repeated after a
   * crash.
   */
  async quarantineObjects(job: RepairJob, unknown: readonly UnknownObject[]): Promise<void> {
    const findings = unknown.map(
      ({ object, finding }): StoreFinding => ({
        ...finding,
        kind: "QUARANTINED",
        message: `The object ${object} belongs to no artifact. It is moved to quarantine.`,
      }),
    );
    await this.#reportQuarantined(job, findings);
    for (const { store, object } of unknown) await this.#parts.stores.get(store)?.quarantine(object);
  }

  /**
   * Adopts files that match their sidecar, and moves the other ones to quarantine. Separate commits log this.
   * Returns the findings about files that stay; null if `signal` aborted first.
   */
  async repairFiles(
    job: RepairJob,
    entries: readonly UnknownEntry[],
    signal: AbortSignal,
  ): Promise<readonly StoreFinding[] | null> {
    const { adopter, catalog, view } = this.#parts;
    if (view === null || adopter === null) return [];
    const known: UnknownEntry[] = [];
    const unknown: UnknownEntry[] = [];
    for (const entry of entries) ((await this.#matchesSidecar(view, entry)) ? known : unknown).push(entry);
    let left: readonly StoreFinding[] = [];
    const adopted = await adopter.adopt(
      { ...job, dryRun: false },
      known.map(({ entry }) => entry),
      signal,
      (remaining) => {
        left = remaining;
        return null;
      },
    );
    if (!adopted) return null;
    const places = unknown.flatMap(({ key, entry }) =>
      entry.files.map(({ tier, path }) => ({ key, tier, path })),
    );
    const findings = places.map(({ key, tier, path }): StoreFinding => {
      const message = `${path} belongs to no artifact, and no sidecar has its checksum. It is moved to quarantine.`;
      return { kind: "QUARANTINED", path, ...keyOf(key), tier, message };
    });
    await this.#reportQuarantined(job, findings);
    await view.setAside(places);
    // An artifact that was written under the key in between may have lost its file here: publish it again.
    await commitAllOf(
      catalog,
      unknown.map(({ key }) => ({ kind: "republish" as const, key: keyOf(key) })),
    );
    return left;
  }

  /** Corrects wrong usage counters. */
  async correctUsage(job: RepairJob, miscounts: readonly Miscount[]): Promise<void> {
    const { catalog, clock } = this.#parts;
    await commitAllOf(
      catalog,
      miscounts.map((miscount) => ({
        kind: "correctUsage" as const,
        at: clock.now(),
        ...job,
        miscount,
        finding: recounted(miscount),
      })),
    );
  }

  async #reportQuarantined(job: RepairJob, findings: readonly StoreFinding[]): Promise<void> {
    if (findings.length === 0) return;
    const { catalog, clock } = this.#parts;
    await catalog.commit({ kind: "quarantine", at: clock.now(), ...job, findings });
  }

  /** Returns whether the file's sidecar is one of Tierkeep's and has the checksum of its bytes. */
  async #matchesSidecar(view: TierView, { key, entry }: UnknownEntry): Promise<boolean> {
    const { winner } = chooseFile(entry.files);
    const { _checksum: checksum, _version: version } = winner.sidecar.facts ?? {};
    if (typeof checksum !== "string" || typeof version !== "number") return false;
    const [ingested] = (await view.take([{ key, file: winner, how: { as: "look" } }])) ?? [];
    return ingested?.state === "taken" && ingested.checksum === checksum;
  }
}

function nameOf(of: Pick<StoreFinding, "tenantId" | "workflowId" | "artifactId">): string {
  return `${of.tenantId}/${of.workflowId}/${of.artifactId}`;
}

function republished(finding: StoreFinding): StoreFinding {
  return { ...finding, kind: "REPUBLISHED", message: `${finding.message} It is published again.` };
}
