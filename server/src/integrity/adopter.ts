import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import { type ArtifactKey, isSameKey, keyOf } from "@tierkeep/schema/domain/keys";
import type { Catalog } from "../catalog/catalog.ts";
import type { AdoptChange, PresentChange } from "../catalog/job-changes.ts";
import type { ArtifactRow } from "../catalog/rows.ts";
import type { Abandoned } from "../engine/abandoned.ts";
import type { Clock } from "../engine/clock.ts";
import { commitAllOf, requireWritten } from "../engine/commit-all.ts";
import { newObjectsTogether, type RandomBytes } from "../engine/new-object.ts";
import { placementOf } from "../engine/publish.ts";
import type { TierStore } from "../tiers/tier-store.ts";
import type { FoundFile, IngestAs, IngestItem, Taken, TierView, TreeEntry } from "../tiers/tier-view.ts";
import {
  type Adoption,
  adoptionOf,
  type Choice,
  chooseFile,
  isLinkedElsewhere,
  ownObject,
  pathOf,
} from "./adoption.ts";

export interface AdopterParts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Where the tree stands, and the objects that its files become. */
  readonly store: TierStore;
  readonly view: TierView;
  /** This process's name for what it stages. */
  readonly owner: string;
  readonly abandoned: Abandoned;
}

/** For which job something is adopted, and on whose behalf. */
export interface AdoptingJob {
  readonly jobId: string;
  readonly actor: string;
  readonly dryRun: boolean;
}

/** A key of the tree that has no row. */
interface Newcomer {
  readonly key: ArtifactKey;
  readonly choice: Choice;
  /** Null: it is only looked at. */
  readonly own: string | null;
  readonly isLinkedElsewhere: boolean;
}

/**
 * Takes up what stands in the published tree and has no row: its bytes become an object, staged first like any other,
 * and the commit of its row is what counts. A crash before that leaves the file where it is, and an object's name that
 * is collected. What has a row keeps it.
 */
export class Adopter {
  readonly #parts: AdopterParts;

  constructor(parts: AdopterParts) {
    this.#parts = parts;
  }

  get view(): TierView {
    return this.#parts.view;
  }

  /** Treats entries of a walk. Answers what was left where it is; null: `signal` aborted first, and they may be treated again. */
  async adopt(
    job: AdoptingJob,
    entries: readonly TreeEntry[],
    signal: AbortSignal,
  ): Promise<readonly StoreFinding[] | null> {
    const { catalog } = this.#parts;
    const found = entries.flatMap(({ key, files }) => (key === null ? [] : [{ key, files }]));
    const keys = found.map(({ key }) => key);
    const rows = await catalog.artifacts(keys);
    const dirty = await catalog.areDirty(keys);
    const present = rows.filter((row) => row !== null);
    await this.#keep(job, present);
    const newcomers = found
      .filter((_, index) => rows[index] === null && !dirty[index])
      .map(({ key, files }): Newcomer => {
        const choice = chooseFile(files);
        const { winner } = choice;
        return {
          key,
          choice,
          own: ownObject(winner, files),
          isLinkedElsewhere: isLinkedElsewhere(winner, files),
        };
      });
    const left: StoreFinding[] = [];
    const adopted = job.dryRun
      ? await this.#look(job, newcomers, left, signal)
      : await this.#take(job, newcomers, left, signal);
    if (adopted === null) return null;
    const outcomes = await catalog.commitAll(adopted);
    const unused = adopted.filter((_, index) => {
      const outcome = outcomes[index];
      return !outcome?.ok || outcome.result !== "adopted";
    });
    if (!job.dryRun) await this.#parts.abandoned.add(unused.map(({ artifact }) => artifact.object));
    requireWritten(outcomes);
    return left;
  }

  /** What has a row: files in its places that are not its own are told of and, live, moved out of its way by the publisher. */
  async #keep({ jobId, dryRun }: AdoptingJob, rows: readonly ArtifactRow[]): Promise<void> {
    const { catalog, view } = this.#parts;
    const differences = await view.differences(
      rows.map((row) => placementOf({ key: keyOf(row), row, garbage: [] })),
    );
    const foreign = differences.filter(
      ({ how, path }) => how === "foreign" && !path.endsWith(".metadata.json"),
    );
    const keys = foreign.map(({ key }) => key);
    const [now, dirty] = [await catalog.artifacts(keys), await catalog.areDirty(keys)];
    // Only where nothing has happened since: what follows from a move that was just made is no stranger's doing.
    const strange = foreign.filter(
      ({ key }, index) =>
        !dirty[index] && rows.some((row) => isSameKey(row, key) && row.version === now[index]?.version),
    );
    const would = dryRun ? "would be" : "is";
    const changes = rows.map((row): PresentChange => {
      const findings = strange
        .filter(({ key }) => isSameKey(row, key))
        .map(
          ({ path, tier }): StoreFinding => ({
            kind: "QUARANTINED",
            path,
            ...keyOf(row),
            tier,
            message: `${path} is not the file of the artifact that the catalog has under this key, and that stands. It ${would} moved to quarantine.`,
          }),
        );
      return { kind: "present", jobId, key: keyOf(row), dryRun, findings };
    });
    await commitAllOf(catalog, changes);
  }

  async #look(
    job: AdoptingJob,
    newcomers: readonly Newcomer[],
    left: StoreFinding[],
    signal: AbortSignal,
  ): Promise<readonly AdoptChange[] | null> {
    const taken = await this.#parts.view.take(
      newcomers.map((newcomer) => itemOf(newcomer, { as: "look" })),
      signal,
    );
    return (
      taken && newcomers.flatMap((newcomer, index) => this.#changes(job, newcomer, taken[index], "", left))
    );
  }

  async #take(
    job: AdoptingJob,
    newcomers: readonly Newcomer[],
    left: StoreFinding[],
    signal: AbortSignal,
  ): Promise<readonly AdoptChange[] | null> {
    const unused = new Set<string>();
    try {
      const objects = await this.#stage(newcomers, unused);
      const items = newcomers.flatMap((newcomer, index) => {
        const how = objects[index];
        return how === undefined ? [] : [itemOf(newcomer, how)];
      });
      const taken = await this.#parts.view.take(items, signal);
      if (taken === null) return null;
      const changes = newcomers.flatMap((newcomer, index) =>
        this.#changes(job, newcomer, taken[index], objects[index]?.object ?? "", left),
      );
      for (const { artifact } of changes) unused.delete(artifact.object);
      return changes;
    } finally {
      // New objects become garbage: of what was linked, the tree keeps the bytes. Those that were there before stay.
      await this.#parts.abandoned.add([...unused]);
    }
  }

  /** Each file's object, staged: its own where that is free, else a new one. Adds to `names` whatever may be staged then. */
  async #stage(
    newcomers: readonly Newcomer[],
    names: Set<string>,
  ): Promise<readonly Exclude<IngestAs, { as: "look" }>[]> {
    const { catalog, clock, random, owner, store } = this.#parts;
    const stamp = { store: store.id, owner, at: clock.now() };
    const own = newcomers.flatMap(({ own }) => own ?? []);
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
    const unused = newObjectsTogether(random, newcomers.length);
    const objects = newcomers.map(({ own, isLinkedElsewhere }, index) =>
      own !== null && free.has(own)
        ? ({ as: "own", object: own } as const)
        : ({ as: "new", object: unused[index] as string, isLinkedElsewhere } as const),
    );
    const fresh = objects.filter(({ as }) => as === "new");
    for (const { object } of fresh) names.add(object);
    await commitAllOf(
      catalog,
      fresh.map(({ object }) => ({ kind: "stage" as const, object, ...stamp })),
    );
    return objects;
  }

  /** None: it stays where it is, and `left` says so. */
  #changes(
    job: AdoptingJob,
    { key, choice }: Newcomer,
    taken: Taken | undefined,
    object: string,
    left: StoreFinding[],
  ): readonly AdoptChange[] {
    const { tier } = choice.winner;
    if (taken?.state === "taken") {
      const { dryRun } = job;
      return [
        this.#change(job, key, adoptionOf(key, choice, taken, { dryRun, copied: taken.copied }), object),
      ];
    }
    const path = pathOf(key, tier);
    const [kind, message] =
      taken?.state === "unreadable"
        ? (["UNREADABLE", `${path} cannot be read (${taken.code}).`] as const)
        : (["CHANGING", `${path} was written to, moved or removed while it was read.`] as const);
    left.push({
      kind,
      path,
      ...keyOf(key),
      tier,
      message: `${message} It stays where it is; run the reindex again.`,
    });
    return [];
  }

  #change(
    { jobId, actor, dryRun }: AdoptingJob,
    key: ArtifactKey,
    { artifact, findings }: Adoption,
    object: string,
  ): AdoptChange {
    const { clock, owner, store } = this.#parts;
    return {
      kind: "adopt",
      at: clock.now(),
      actor,
      jobId,
      key: keyOf(key),
      artifact: { ...artifact, object, store: store.id },
      owner,
      dryRun,
      findings,
    };
  }
}

/** How many bytes it is to read these. */
export function bytesToRead(files: readonly FoundFile[]): number {
  return files.length === 0 ? 0 : chooseFile(files).winner.sizeBytes;
}

function itemOf({ key, choice }: Newcomer, how: IngestAs): IngestItem {
  return { key, file: choice.winner, how };
}
