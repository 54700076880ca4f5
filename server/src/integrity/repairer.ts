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
import { chooseFile, pathOf } from "./adoption.ts";
import type { Checked, Checker, UnknownEntry, UnknownObject } from "./checker.ts";
import { recounted } from "./usage-findings.ts";

export interface RepairerParts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly stores: ReadonlyMap<string, TierStore>;
  readonly view: TierView | null;
  readonly checker: Checker;
  /** Null: there is no tree. */
  readonly adopter: Adopter | null;
}

/** For which job something is mended, and on whose behalf. */
export interface RepairJob {
  readonly jobId: string;
  readonly actor: string;
}

/** Mends what a check of the store has found, but for damaged bytes, which are the healer's. Deletes nothing: what is in the way goes to quarantine. */
export class Repairer {
  readonly #parts: RepairerParts;

  constructor(parts: RepairerParts) {
    this.#parts = parts;
  }

  /** Why nothing may be mended; null: it may. Before a catalog has its rows, everything looks like a stray. */
  async refusal(): Promise<Refused | null> {
    const { checker } = this.#parts;
    if (!(await checker.knowsTheStore()))
      return new Refused(
        "CONFLICT",
        "The catalog knows nothing of what is stored: it was lost, or this is another system's tree; or a reindex is not confirmed. A repair would move it all to quarantine. Run tierkeep reindex first, and confirm it.",
      );
    return null;
  }

  /**
   * Makes the view of these artifacts, whose own bytes are right, agree with them again: copies become links, other files
   * go to quarantine. Commits of their own tell it. Returns what is left of the findings.
   */
  async republish(
    { jobId }: RepairJob,
    { rows, findings, copies }: Checked,
  ): Promise<readonly StoreFinding[]> {
    const ofRow = Map.groupBy(findings, nameOf);
    // A damaged object is not linked: the file in the tree may be the last one with the right bytes.
    const mended = rows.filter((row) => ofRow.get(nameOf(row))?.every(({ kind }) => kind === "VIEW_DIFFERS"));
    const names = new Set(mended.map(nameOf));
    await this.#parts.view?.relink(copies.filter(({ key }) => names.has(nameOf(key))));
    await commitAllOf(
      this.#parts.catalog,
      mended.map((row) => ({
        kind: "republish" as const,
        key: keyOf(row),
        found: { jobId, findings: (ofRow.get(nameOf(row)) ?? []).map(republished) },
      })),
    );
    return findings.filter((finding) => !names.has(nameOf(finding)));
  }

  /** Moves them to quarantine. What is told of comes first, and once: a batch may be repeated after a crash. */
  async quarantineObjects(job: RepairJob, strays: readonly UnknownObject[]): Promise<void> {
    const findings = strays.map(
      ({ object, finding }): StoreFinding => ({
        ...finding,
        kind: "QUARANTINED",
        message: `The object ${object} is the bytes of no artifact. It is moved to quarantine.`,
      }),
    );
    await this.#reportQuarantined(job, findings);
    for (const { store, object } of strays) await this.#parts.stores.get(store)?.quarantine(object);
  }

  /**
   * Takes up what its sidecar knows, and moves the rest to quarantine: told by commits of their own. Answers what else was
   * found; null: `signal` aborted first.
   */
  async treatFiles(
    job: RepairJob,
    strays: readonly UnknownEntry[],
    signal: AbortSignal,
  ): Promise<readonly StoreFinding[] | null> {
    const { adopter, catalog, view } = this.#parts;
    if (view === null || adopter === null) return [];
    const known: UnknownEntry[] = [];
    const unknown: UnknownEntry[] = [];
    for (const stray of strays) ((await this.#isKnown(view, stray)) ? known : unknown).push(stray);
    const left = await adopter.adopt(
      { ...job, dryRun: false },
      known.map(({ entry }) => entry),
      signal,
    );
    if (left === null) return null;
    const places = unknown.flatMap(({ key, entry }) => entry.files.map(({ tier }) => ({ key, tier })));
    const findings = places.map(({ key, tier }): StoreFinding => {
      const path = pathOf(key, tier);
      const message = `${path} is no artifact's, and has no sidecar that knows its bytes. It is moved to quarantine.`;
      return { kind: "QUARANTINED", path, ...keyOf(key), tier, message };
    });
    await this.#reportQuarantined(job, findings);
    await view.setAside(places);
    // Where an artifact was written there meanwhile, its place may have been taken away with the file.
    await commitAllOf(
      catalog,
      unknown.map(({ key }) => ({ kind: "republish" as const, key: keyOf(key) })),
    );
    return left;
  }

  /** Counts anew what is counted wrongly. */
  async recount(job: RepairJob, miscounts: readonly Miscount[]): Promise<void> {
    const { catalog, clock } = this.#parts;
    await commitAllOf(
      catalog,
      miscounts.map((miscount) => ({
        kind: "recount" as const,
        at: clock.now(),
        ...job,
        finding: recounted(miscount),
      })),
    );
  }

  async #reportQuarantined(job: RepairJob, findings: readonly StoreFinding[]): Promise<void> {
    if (findings.length === 0) return;
    const { catalog, clock } = this.#parts;
    await catalog.commit({ kind: "quarantine", at: clock.now(), ...job, findings });
  }

  /** Whether its sidecar, one of ours, tells of the very bytes that stand there. */
  async #isKnown(view: TierView, { key, entry }: UnknownEntry): Promise<boolean> {
    const { winner } = chooseFile(entry.files);
    const { _checksum: checksum, _version: version } = winner.sidecar.facts ?? {};
    if (typeof checksum !== "string" || typeof version !== "number") return false;
    const [taken] = (await view.take([{ key, file: winner, how: { as: "look" } }])) ?? [];
    return taken?.state === "taken" && taken.checksum === checksum;
  }
}

function nameOf(of: Pick<StoreFinding, "tenantId" | "workflowId" | "artifactId">): string {
  return `${of.tenantId}/${of.workflowId}/${of.artifactId}`;
}

function republished(finding: StoreFinding): StoreFinding {
  return { ...finding, kind: "REPUBLISHED", message: `${finding.message} It is published anew.` };
}
