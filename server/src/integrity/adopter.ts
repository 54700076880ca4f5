import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import { type ArtifactKey, isSameKey, keyOf } from "@tierkeep/schema/domain/keys";
import type { Catalog } from "../catalog/catalog.ts";
import type { AdoptedFile, AdoptResult, JobAdvance, PresentKey } from "../catalog/job-changes.ts";
import type { ArtifactRow, StoreIds } from "../catalog/rows.ts";
import type { Abandoned } from "../engine/abandoned.ts";
import type { Clock } from "../engine/clock.ts";
import { commitAllOf, requireWritten } from "../engine/commit-all.ts";
import { newObjectsTogether, type RandomBytes } from "../engine/new-object.ts";
import { placementOf } from "../engine/publish.ts";
import type { TierStore } from "../tiers/tier-store.ts";
import type { FoundFile, IngestAs, IngestItem, Taken, TierView, TreeEntry } from "../tiers/tier-view.ts";
import { adoptionOf, type Choice, chooseFile } from "./adoption.ts";

export interface AdopterParts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** The store of the view, which also holds the objects made of its files. */
  readonly store: TierStore;
  readonly view: TierView;
  /** Name of this process, recorded with what it stages. */
  readonly owner: string;
  /** The store of each tier. */
  readonly storeIds: StoreIds;
  readonly abandoned: Abandoned;
}

/** The job that adopts, and its actor. */
export interface AdoptingJob {
  readonly jobId: string;
  readonly actor: string;
  readonly dryRun: boolean;
}

/** A key of the view that has no row. */
interface UnknownKey {
  readonly key: ArtifactKey;
  readonly choice: Choice;
}

/**
 * Adopts files of the view that have no row: stages an object for their bytes, then commits the row. A crash
 * in between leaves the file unchanged, and the staged object is collected. A file whose key has a row keeps
 * that row.
 */
export class Adopter {
  readonly #parts: AdopterParts;

  constructor(parts: AdopterParts) {
    this.#parts = parts;
  }

  get view(): TierView {
    return this.#parts.view;
  }

  /**
   * Adopts entries of a walk, all in one commit. Returns false if `signal` aborted first. Entries may be passed again.
   *
   * @param advance returns the job's position after the entries, given the findings about files that stay
   */
  async adopt(
    job: AdoptingJob,
    entries: readonly TreeEntry[],
    signal: AbortSignal,
    advance: (remaining: readonly StoreFinding[]) => JobAdvance | null,
  ): Promise<boolean> {
    const { catalog, clock, owner, storeIds } = this.#parts;
    const found = entries.flatMap(({ key, files }) => (key === null ? [] : [{ key, files }]));
    const keys = found.map(({ key }) => key);
    const rows = await catalog.artifacts(keys);
    const dirty = await catalog.areDirty(keys);
    const present = await this.#presentKeys(
      job,
      rows.filter((row) => row !== null),
    );
    const unknown = found
      .filter((_, index) => rows[index] === null && !dirty[index])
      .map(({ key, files }): UnknownKey => ({ key, choice: chooseFile(files) }));
    const remaining: StoreFinding[] = [];
    const files = job.dryRun
      ? await this.#look(job, unknown, remaining, signal)
      : await this.#ingest(job, unknown, remaining, signal);
    if (files === null) return false;
    let results: readonly AdoptResult[] = [];
    try {
      results = await catalog.commit({
        kind: "adoptBatch",
        at: clock.now(),
        ...job,
        owner,
        storeIds,
        files,
        present,
        advance: advance(remaining),
      });
    } finally {
      const unused = files.filter((_, index) => results[index] !== "adopted");
      if (!job.dryRun) await this.#parts.abandoned.add(unused.map(({ artifact }) => artifact.object));
    }
    return true;
  }

  /** Returns keys that have a row, with findings about foreign files in their placements. */
  async #presentKeys({ dryRun }: AdoptingJob, rows: readonly ArtifactRow[]): Promise<readonly PresentKey[]> {
    const { catalog, view } = this.#parts;
    const differences = await view.differences(
      rows.map((row) => placementOf({ key: keyOf(row), row, garbage: [] }, view)),
    );
    const foreign = differences.filter(
      ({ how, path }) => how === "foreign" && !path.endsWith(".metadata.json"),
    );
    const keys = foreign.map(({ key }) => key);
    const [now, dirty] = [await catalog.artifacts(keys), await catalog.areDirty(keys)];
    // Only for unchanged rows: after a recent move, an old file of Tierkeep's own may still be there.
    const unexpected = foreign.filter(
      ({ key }, index) =>
        !dirty[index] && rows.some((row) => isSameKey(row, key) && row.version === now[index]?.version),
    );
    const would = dryRun ? "would be" : "is";
    return rows.map((row) => ({
      key: keyOf(row),
      findings: unexpected
        .filter(({ key }) => isSameKey(row, key))
        .map(
          ({ path, tier }): StoreFinding => ({
            kind: "QUARANTINED",
            path,
            ...keyOf(row),
            tier,
            message: `${path} is not the file of the artifact that the catalog has under this key. The artifact keeps the key. The file ${would} moved to quarantine.`,
          }),
        ),
    }));
  }

  async #look(
    job: AdoptingJob,
    unknown: readonly UnknownKey[],
    remaining: StoreFinding[],
    signal: AbortSignal,
  ): Promise<readonly AdoptedFile[] | null> {
    const ingested = await this.#parts.view.take(
      unknown.map((one) => itemOf(one, { as: "look" })),
      signal,
    );
    return ingested && unknown.flatMap((one, index) => this.#file(job, one, ingested[index], "", remaining));
  }

  async #ingest(
    job: AdoptingJob,
    unknown: readonly UnknownKey[],
    remaining: StoreFinding[],
    signal: AbortSignal,
  ): Promise<readonly AdoptedFile[] | null> {
    const unused = new Set<string>();
    try {
      const objects = await this.#stage(unknown, unused);
      const items = unknown.flatMap((one, index) => {
        const how = objects[index];
        return how === undefined ? [] : [itemOf(one, how)];
      });
      const ingested = await this.#parts.view.take(items, signal);
      if (ingested === null) return null;
      const files = unknown.flatMap((one, index) =>
        this.#file(job, one, ingested[index], objects[index]?.object ?? "", remaining),
      );
      for (const { artifact } of files) unused.delete(artifact.object);
      return files;
    } finally {
      // New objects become garbage; a linked file keeps its bytes. Objects that existed before stay.
      await this.#parts.abandoned.add([...unused]);
    }
  }

  /**
   * Stages an object for each file: the object that the file already is, if it is free, or a new one. Adds
   * all staged names to `names`.
   */
  async #stage(
    unknown: readonly UnknownKey[],
    names: Set<string>,
  ): Promise<readonly Exclude<IngestAs, { as: "look" }>[]> {
    const { catalog, clock, random, owner, store } = this.#parts;
    const stamp = { store: store.id, owner, at: clock.now() };
    const own = unknown.flatMap(({ choice }) => choice.winner.object ?? []);
    const reserved = await catalog.commitAll(
      own.map((object) => ({ kind: "stageFound" as const, object, ...stamp })),
    );
    const free = new Set<string>();
    for (const [index, outcome] of reserved.entries()) {
      const object = own[index];
      if (object === undefined || (outcome.ok && !outcome.result)) continue;
      names.add(object);
      if (outcome.ok) free.add(object);
    }
    requireWritten(reserved);
    const unused = newObjectsTogether(random, unknown.length);
    const objects = unknown.map(({ choice }, index) => {
      const { object } = choice.winner;
      return object !== null && free.has(object)
        ? ({ as: "own", object } as const)
        : ({ as: "new", object: unused[index] as string } as const);
    });
    const fresh = objects.filter(({ as }) => as === "new");
    for (const { object } of fresh) names.add(object);
    await commitAllOf(
      catalog,
      fresh.map(({ object }) => ({ kind: "stage" as const, object, ...stamp })),
    );
    return objects;
  }

  /** Returns the file to adopt. Empty if the file stays where it is; `remaining` then gets a finding. */
  #file(
    { dryRun }: AdoptingJob,
    { key, choice }: UnknownKey,
    ingested: Taken | undefined,
    object: string,
    remaining: StoreFinding[],
  ): readonly AdoptedFile[] {
    const { tier, path } = choice.winner;
    if (ingested?.state === "taken") {
      const { copied } = ingested;
      const { artifact, findings } = adoptionOf(key, choice, ingested, { dryRun, copied });
      return [{ key: keyOf(key), artifact: { ...artifact, object, store: this.#parts.store.id }, findings }];
    }
    const [kind, message] =
      ingested?.state === "unreadable"
        ? (["UNREADABLE", `${path} cannot be read (${ingested.code}).`] as const)
        : (["CHANGING", `${path} was changed, moved or removed while it was being read.`] as const);
    remaining.push({
      kind,
      path,
      ...keyOf(key),
      tier,
      message: `${message} It stays where it is; run the reindex again.`,
    });
    return [];
  }
}

/** Bytes that adopting one of these files reads. */
export function bytesToRead(files: readonly FoundFile[]): number {
  return files.length === 0 ? 0 : chooseFile(files).winner.sizeBytes;
}

function itemOf({ key, choice }: UnknownKey, how: IngestAs): IngestItem {
  return { key, file: choice.winner, how };
}
