import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import { keyOf, keyText } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import type { Catalog } from "../catalog/catalog.ts";
import type { ArtifactRow } from "../catalog/rows.ts";
import type { FoundAt, TierStore } from "../tiers/tier-store.ts";
import type { TierView } from "../tiers/tier-view.ts";
import type { Abandoned } from "./abandoned.ts";
import type { Adopter } from "./adopter.ts";
import { chooseFile, pathOf } from "./adoption.ts";
import type { Checker, StrayEntry, StrayObject } from "./checker.ts";
import type { Clock } from "./clock.ts";
import { commitAllOf } from "./commit-all.ts";
import { newObject, type RandomBytes } from "./new-object.ts";

/** Damaged artifacts whose objects are looked at for one another's bytes. */
const PARTNERS = 10_000;

export interface MenderParts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly stores: ReadonlyMap<string, TierStore>;
  readonly view: TierView | null;
  readonly checker: Checker;
  /** Null: there is no tree. */
  readonly adopter: Adopter | null;
  /** This process's name for what it stages. */
  readonly owner: string;
  readonly abandoned: Abandoned;
}

/** For which job something is mended, and on whose behalf. */
export interface MendingJob {
  readonly jobId: string;
  readonly actor: string;
}

type QuarantinedBySize = ReadonlyMap<number, readonly { readonly name: string }[]>;

/** Somewhere that may hold an artifact's bytes. */
type Source = FoundAt | { readonly object: string };

/** Mends what a check of the store has found, as far as it can be. Deletes nothing: what is in the way goes to quarantine. */
export class Mender {
  readonly #parts: MenderParts;

  constructor(parts: MenderParts) {
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
   * The view of these artifacts, whose own bytes are right, is made to agree with them once more: told by commits of their
   * own. Answers what is left of the findings.
   */
  async republish(
    { jobId }: MendingJob,
    rows: readonly ArtifactRow[],
    findings: readonly StoreFinding[],
  ): Promise<readonly StoreFinding[]> {
    const ofRow = Map.groupBy(findings, nameOf);
    // Without its object there is nothing to be linked.
    const mended = rows.filter((row) => ofRow.get(nameOf(row))?.every(({ kind }) => kind === "VIEW_DIFFERS"));
    await commitAllOf(
      this.#parts.catalog,
      mended.map((row) => ({
        kind: "republish" as const,
        key: keyOf(row),
        found: { jobId, findings: (ofRow.get(nameOf(row)) ?? []).map(republished) },
      })),
    );
    const names = new Set(mended.map(nameOf));
    return findings.filter((finding) => !names.has(nameOf(finding)));
  }

  /** Moves them to quarantine. What is told of comes first, and once: a batch may be repeated after a crash. */
  async quarantineObjects(job: MendingJob, strays: readonly StrayObject[]): Promise<void> {
    const findings = strays.map(
      ({ object, finding }): StoreFinding => ({
        ...finding,
        kind: "QUARANTINED",
        message: `The object ${object} is the bytes of no artifact. It is moved to quarantine.`,
      }),
    );
    await this.#tellQuarantined(job, findings);
    for (const { store, object } of strays) await this.#parts.stores.get(store)?.quarantine(object);
  }

  /**
   * Takes up what its sidecar knows, and moves the rest to quarantine: told by commits of their own. Answers what else was
   * found; null: `signal` aborted first.
   */
  async treatFiles(
    job: MendingJob,
    strays: readonly StrayEntry[],
    signal: AbortSignal,
  ): Promise<readonly StoreFinding[] | null> {
    const { adopter, catalog, view } = this.#parts;
    if (view === null || adopter === null) return [];
    const known: StrayEntry[] = [];
    const unknown: StrayEntry[] = [];
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
    await this.#tellQuarantined(job, findings);
    await view.setAside(places);
    // Where an artifact was written there meanwhile, its place may have been taken away with the file.
    await commitAllOf(
      catalog,
      unknown.map(({ key }) => ({ kind: "republish" as const, key: keyOf(key) })),
    );
    return left;
  }

  /**
   * Gives these artifacts, marked as damaged, their bytes back where the right ones stand somewhere: in their places of
   * the tree, in quarantine, or as one another's objects. What is healed is told by its own commit. False: `signal` aborted
   * first.
   */
  async heal(job: MendingJob, rows: readonly ArtifactRow[], signal: AbortSignal): Promise<boolean> {
    const partners = await this.#partners();
    const quarantined = await this.#quarantined();
    const healed: ArtifactRow[] = [];
    for (const row of rows) {
      if (signal.aborted) return false;
      const store = this.#parts.stores.get(row.store);
      if (store === undefined || row.inline) continue;
      for (const source of this.#sources(row, store, partners, quarantined)) {
        if (!(await this.#take(job, row, store, source, signal))) continue;
        healed.push(row);
        break;
      }
    }
    // Only now: each may have been what another one was looking for.
    for (const { store, object } of healed) await this.#parts.stores.get(store)?.quarantine(object);
    return true;
  }

  /** Counts anew what these findings say is counted wrongly. */
  async recount(job: MendingJob, findings: readonly StoreFinding[]): Promise<void> {
    const { catalog, clock } = this.#parts;
    await commitAllOf(
      catalog,
      findings.map((finding) => ({
        kind: "recount" as const,
        at: clock.now(),
        ...job,
        finding: { ...finding, kind: "RECOUNTED", message: `${finding.message} It is counted anew.` },
      })),
    );
  }

  async #tellQuarantined(job: MendingJob, findings: readonly StoreFinding[]): Promise<void> {
    if (findings.length === 0) return;
    const { catalog, clock } = this.#parts;
    await catalog.commit({ kind: "quarantine", at: clock.now(), ...job, findings });
  }

  /** Whether its sidecar, one of ours, tells of the very bytes that stand there. */
  async #isKnown(view: TierView, { key, entry }: StrayEntry): Promise<boolean> {
    const { winner } = chooseFile(entry.files);
    const { _checksum: checksum, _version: version } = winner.sidecar.facts ?? {};
    if (typeof checksum !== "string" || typeof version !== "number") return false;
    const [taken] = (await view.take([{ key, file: winner, how: { as: "look" } }])) ?? [];
    return taken?.state === "taken" && taken.checksum === checksum;
  }

  /** Objects of damaged artifacts by their sizes: a name may have come to stand for another one's bytes. */
  async #partners(): Promise<ReadonlyMap<number, readonly string[]>> {
    const { catalog, stores } = this.#parts;
    const bySize = new Map<number, string[]>();
    for (const { object, store, inline } of await catalog.damagedAfter(0, PARTNERS)) {
      const there = inline ? null : await stores.get(store)?.stat(object);
      if (!there) continue;
      const same = bySize.get(there.sizeBytes);
      if (same === undefined) bySize.set(there.sizeBytes, [object]);
      else same.push(object);
    }
    return bySize;
  }

  /** Names in quarantine by store and size. */
  async #quarantined(): Promise<ReadonlyMap<string, QuarantinedBySize>> {
    const byStore = new Map<string, QuarantinedBySize>();
    for (const store of this.#parts.stores.values())
      byStore.set(
        store.id,
        Map.groupBy(await store.quarantined(), ({ sizeBytes }) => sizeBytes),
      );
    return byStore;
  }

  #sources(
    row: ArtifactRow,
    store: TierStore,
    partners: ReadonlyMap<number, readonly string[]>,
    quarantined: ReadonlyMap<string, QuarantinedBySize>,
  ): readonly Source[] {
    const sameSize = quarantined.get(store.id)?.get(row.sizeBytes) ?? [];
    return [
      ...(store.view === null ? [] : TIERS.map((tier) => ({ key: keyOf(row), tier }))),
      ...sameSize.map(({ name }) => ({ quarantined: name })),
      ...(partners.get(row.sizeBytes) ?? [])
        .filter((object) => object !== row.object)
        .map((object) => ({ object })),
    ];
  }

  /** Copies the bytes into a new object, where they are the right ones; false: they are not, or not there. */
  async #take(
    job: MendingJob,
    row: ArtifactRow,
    store: TierStore,
    source: Source,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { abandoned, catalog, clock, random, owner } = this.#parts;
    const { sizeBytes, checksum, modifiedAt } = row;
    const wanted = { range: null, sizeBytes, checksum, signal };
    const object = newObject(random);
    let healed = false;
    try {
      const body =
        "object" in source ? await store.read(source.object, wanted) : await store.readFound(source, wanted);
      if (body === null) return false;
      try {
        await catalog.commit({ kind: "stage", object, store: store.id, owner, at: clock.now() });
      } catch (error) {
        await body[Symbol.asyncIterator]().return?.();
        throw error;
      }
      await store.write(object, body, { maxBytes: null, modifiedAt, signal });
      const as = { damaged: row.object, object, store: store.id, owner };
      const finding = healedFinding(row);
      healed = await catalog.commit({
        kind: "heal",
        at: clock.now(),
        ...job,
        finding,
        key: keyOf(row),
        ...as,
      });
      return healed;
    } catch (error) {
      if (isOther(error) || signal.aborted) return false;
      throw error;
    } finally {
      if (!healed) await abandoned.add([object]);
    }
  }
}

function nameOf(of: Pick<StoreFinding, "tenantId" | "workflowId" | "artifactId">): string {
  return `${of.tenantId}/${of.workflowId}/${of.artifactId}`;
}

function republished(finding: StoreFinding): StoreFinding {
  return { ...finding, kind: "REPUBLISHED", message: `${finding.message} It is published anew.` };
}

function healedFinding(row: ArtifactRow): StoreFinding {
  return {
    kind: "HEALED",
    path: pathOf(row, row.tier),
    ...keyOf(row),
    tier: row.tier,
    message: `The bytes of ${keyText(row)} were found, and it has them again. What was left of the old ones goes to quarantine.`,
  };
}

/** What is there are other bytes, or cannot be read. */
function isOther(error: unknown): boolean {
  if (!(error instanceof Refused)) return false;
  const { code } = (error.cause ?? {}) as { readonly code?: unknown };
  return error.code === "CHECKSUM_MISMATCH" || code === "EIO" || code === "ELOOP";
}
