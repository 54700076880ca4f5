import type { StoreFinding, StoreFindingKind } from "@tierkeep/schema/domain/findings";
import { type ArtifactKey, keyOf, keyText } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Catalog } from "../catalog/catalog.ts";
import type { ArtifactRow } from "../catalog/rows.ts";
import type { Clock } from "../engine/clock.ts";
import { placementOf } from "../engine/publish.ts";
import type { Reader } from "../engine/read.ts";
import { isUnreadable } from "../tiers/refusing.ts";
import { ROOT_STORE } from "../tiers/store-by-id.ts";
import type { TierStore } from "../tiers/tier-store.ts";
import type { TierView, TreeEntry, TreePosition, ViewCopy, ViewDifference } from "../tiers/tier-view.ts";
import { pathOf } from "./adoption.ts";

/** Objects per catalog query. Each query scans every row, so the batch is large. */
const OBJECTS_AT_ONCE = 20_000;
const ENTRIES_AT_ONCE = 500;

/** Artifacts that are sampled to recognize a copied store. */
const SAMPLE = 50;

/**
 * Bytes that one batch reads before its findings are reported. A single larger artifact is read completely.
 */
const BYTES_AT_ONCE = 64 * 1024 * 1024;

/** The artifacts of a batch that were read, and the findings about them. */
export interface Checked {
  readonly rows: readonly ArtifactRow[];
  readonly bytes: number;
  readonly findings: readonly StoreFinding[];
  /** Files of the view that are copies of these artifacts' objects. Each one has a finding too. */
  readonly copies: readonly ViewCopy[];
}

/** An object that no row names. */
export interface UnknownObject {
  readonly store: string;
  readonly object: string;
  readonly finding: StoreFinding;
}

/** Files of the view under a key that has no row, with one finding per file. */
export interface UnknownEntry {
  readonly key: ArtifactKey;
  readonly entry: TreeEntry;
  readonly findings: readonly StoreFinding[];
}

/**
 * Position in a listing of the objects of all stores: by store id, the last object that was listed; null: all were. An
 * object's name is a position in ROOT_STORE, which earlier versions stored.
 */
export type ObjectPosition = Readonly<Record<string, string | null>> | string | null;

export interface CheckerParts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly reader: Reader;
  readonly stores: ReadonlyMap<string, TierStore>;
  readonly view: TierView | null;
}

/**
 * Compares the catalog with the stores and the view, in both directions. Writes only damage marks and events.
 */
export class Checker {
  readonly #parts: CheckerParts;

  constructor(parts: CheckerParts) {
    this.#parts = parts;
  }

  /**
   * Reads these artifacts one after the other, up to the byte limit of a batch, and compares their files in
   * the view.
   * Returns null if `signal` aborted before the first artifact was read. Calls `pace` with the size of each
   * chunk; the next chunk is read when its promise resolves.
   */
  async check(
    rows: readonly ArtifactRow[],
    signal: AbortSignal,
    pace?: (bytes: number) => Promise<void>,
  ): Promise<Checked | null> {
    const findings: StoreFinding[] = [];
    let bytes = 0;
    let count = 0;
    for (const row of rows) {
      if (count > 0 && bytes + row.sizeBytes > BYTES_AT_ONCE) break;
      const checked = await this.#bytesOf(row, signal, pace);
      if (checked === null) break;
      count += 1;
      bytes += checked.bytes;
      if (checked.finding !== null) findings.push(checked.finding);
    }
    if (count === 0 && rows.length > 0) return null;
    const read = rows.slice(0, count);
    const view = await this.#view(read, signal);
    return { rows: read, bytes, findings: [...findings, ...view.findings], copies: view.copies };
  }

  /**
   * Logs each finding that is not in the event log yet. Damage is logged by the read that finds it. Returns
   * the number of new events.
   */
  async report(
    findings: readonly StoreFinding[],
    by: { readonly actor: string; readonly jobId: string | null },
  ): Promise<number> {
    const unreported = findings.filter(({ kind }) => !REPORTED_ELSEWHERE.has(kind));
    if (unreported.length === 0) return 0;
    const { catalog, clock } = this.#parts;
    return catalog.commit({ kind: "report", at: clock.now(), ...by, findings: unreported });
  }

  async #bytesOf(
    row: ArtifactRow,
    signal: AbortSignal,
    pace?: (bytes: number) => Promise<void>,
  ): Promise<{ readonly bytes: number; readonly finding: StoreFinding | null } | null> {
    let bytes = 0;
    try {
      const content = await this.#parts.reader.open(keyOf(row), undefined, signal);
      for await (const chunk of content?.body ?? []) {
        bytes += chunk.byteLength;
        await pace?.(chunk.byteLength);
        if (signal.aborted) return null;
      }
      if (row.damagedAt !== null) await this.#clearDamage(row);
      return { bytes, finding: null };
    } catch (error) {
      if (signal.aborted) return null;
      const finding = await this.#findingOf(row, error);
      if (finding === null) throw error;
      return { bytes, finding };
    }
  }

  /** Differences between the view and these rows, without rows that have changed since they were read. */
  async #view(
    rows: readonly ArtifactRow[],
    signal: AbortSignal,
  ): Promise<{ readonly findings: readonly StoreFinding[]; readonly copies: readonly ViewCopy[] }> {
    const { catalog, view } = this.#parts;
    if (view === null) return { findings: [], copies: [] };
    const placements = rows.map((row) => placementOf({ key: keyOf(row), row, garbage: [] }, view));
    const found = await view.differences(placements.filter((_, index) => rows[index]?.inline === false));
    const keys = found.map(({ key }) => key);
    const [now, dirty] = [await catalog.artifacts(keys), await catalog.areDirty(keys)];
    const versions = new Map(rows.map((row) => [pathOf(row, "HOT"), row.version]));
    const differences = found.filter(
      ({ key }, index) => !dirty[index] && now[index]?.version === versions.get(pathOf(key, "HOT")),
    );
    const copies = await this.#copies(view, rows, differences, signal);
    const copied = new Set(copies.map(({ key, file }) => pathOf(key, file.tier)));
    const findings = differences.map(({ key, tier, path, how }): StoreFinding => {
      const message =
        how === "foreign" && copied.has(pathOf(key, tier))
          ? `${path} ${HOW.copy}.`
          : `${path} ${HOW[how]}. The artifact itself is unaffected: the tree is only a view.`;
      return { kind: "VIEW_DIFFERS", path, ...keyOf(key), tier, message };
    });
    return { findings, copies };
  }

  /**
   * The files among these differences that hold their artifact's bytes. A store that was copied file by file
   * has such files.
   */
  async #copies(
    view: TierView,
    rows: readonly ArtifactRow[],
    differences: readonly ViewDifference[],
    signal: AbortSignal,
  ): Promise<readonly ViewCopy[]> {
    const inView = rows.filter(({ store }) => store === view.store);
    const own = new Map(inView.map((row) => [pathOf(row, row.tier), row]));
    const suspects = differences.flatMap(
      ({ how, key, tier }) => (how === "foreign" && own.get(pathOf(key, tier))) || [],
    );
    const files = await view.find(suspects.map((row) => ({ key: keyOf(row), tier: row.tier })));
    const candidates = suspects.flatMap((row, index) => {
      const file = files[index];
      return file?.sizeBytes === row.sizeBytes ? [{ row, file }] : [];
    });
    const results = await view.take(
      candidates.map(({ row, file }) => ({ key: keyOf(row), file, how: { as: "look" } })),
      signal,
    );
    return candidates.flatMap(({ row, file }, index) => {
      const ingested = results?.[index];
      return ingested?.state === "taken" && ingested.checksum === row.checksum
        ? [{ key: keyOf(row), object: row.object, file }]
        : [];
    });
  }

  /**
   * Returns whether the view seems to hold copies of the objects, as after `cp -r`: most files of a sample
   * have the size of their object but are not links to it. Reads no content.
   */
  async looksCopied(): Promise<boolean> {
    const { catalog, view } = this.#parts;
    if (view === null) return false;
    const rows = (await catalog.artifactsAfter(0, SAMPLE)).filter(
      ({ inline, store }) => !inline && store === view.store,
    );
    const placements = rows.map((row) => placementOf({ key: keyOf(row), row, garbage: [] }, view));
    const differences = await view.differences(placements);
    const own = new Map(rows.map((row) => [pathOf(row, row.tier), row]));
    const suspects = differences.flatMap(
      ({ how, key, tier }) => (how === "foreign" && own.get(pathOf(key, tier))) || [],
    );
    const files = await view.find(suspects.map((row) => ({ key: keyOf(row), tier: row.tier })));
    const copies = suspects.filter((row, index) => files[index]?.sizeBytes === row.sizeBytes);
    return copies.length > rows.length / 2;
  }

  /**
   * Returns whether an object or file without a row may be reported as unknown. False in the cases where a
   * reindex may still adopt it:
   * - the catalog has no artifacts, but the view or the stores hold files
   * - a reindex is running, or its result is not confirmed
   */
  async canReportUnknown(): Promise<boolean> {
    const { catalog, stores, view } = this.#parts;
    const running = await catalog.runningJobs();
    if (running.some(({ job }) => job.kind === "reindex") || (await catalog.unconfirmedReindex()) !== null)
      return false;
    if ((await catalog.artifactsAfter(0, 1)).length > 0) return true;
    if (((await view?.walk(null, 1)) ?? []).length > 0) return false;
    for (const store of stores.values()) for await (const _object of store.list()) return false;
    return true;
  }

  /** The unknown objects among the next ones of each open store. `ended`: no more objects follow. */
  async unknownObjects(after: ObjectPosition): Promise<{
    readonly unknown: readonly UnknownObject[];
    readonly next: ObjectPosition;
    readonly ended: boolean;
  }> {
    const unknown: UnknownObject[] = [];
    const next: Record<string, string | null> =
      typeof after === "string" ? { [ROOT_STORE]: after } : { ...after };
    let ended = true;
    for (const store of this.#parts.stores.values()) {
      const last = next[store.id];
      if (last === null) continue;
      const objects: string[] = [];
      for await (const object of store.list(last)) {
        objects.push(object);
        if (objects.length === OBJECTS_AT_ONCE) break;
      }
      const isFull = objects.length === OBJECTS_AT_ONCE;
      next[store.id] = isFull ? (objects.at(-1) ?? null) : null;
      if (isFull) ended = false;
      for (const object of await this.#parts.catalog.strays(store.id, objects)) {
        // It may have been collected since it was listed: the object is deleted before its row in the
        // catalog.
        if ((await store.stat(object)) === null) continue;
        const finding: StoreFinding = {
          kind: "STRAY",
          path: `.tierkeep/objects/${object.slice(0, 2)}/${object}`,
          ...NO_KEY,
          tier: null,
          message: `The object ${object} belongs to no artifact. It is left in its store.`,
        };
        unknown.push({ store: store.id, object, finding });
      }
    }
    return { unknown, next, ended };
  }

  /**
   * The files under keys without a row among the next ones after `after`. `next` is null after the last file.
   */
  async unknownFiles(
    after: TreePosition | null,
  ): Promise<{ readonly unknown: readonly UnknownEntry[]; readonly next: TreePosition | null }> {
    const { catalog, view } = this.#parts;
    const entries = (await view?.walk(after, ENTRIES_AT_ONCE)) ?? [];
    const found = entries.flatMap((entry) => (entry.key === null ? [] : [{ key: entry.key, entry }]));
    const keys = found.map(({ key }) => key);
    // Read the marks first. A key that is published between the two reads has no mark at the second one.
    const dirty = await catalog.areDirty(keys);
    const rows = await catalog.artifacts(keys);
    const suspects = found.filter((_, index) => rows[index] === null && !dirty[index]);
    const there = await this.#stillThere(suspects);
    const unknown = there.map(({ key, entry }): UnknownEntry => {
      const findings = entry.files.map(({ tier, path }): StoreFinding => {
        const message = `${path} belongs to no artifact: the catalog has no row for this key. It is left in the tree; a reindex adopts it.`;
        return { kind: "STRAY", path, ...keyOf(key), tier, message };
      });
      return { key, entry, findings };
    });
    return { unknown, next: entries.at(-1)?.position ?? null };
  }

  /**
   * Drops files that are gone by now: a key that was just purged may have been listed before its files were
   * removed.
   */
  async #stillThere<T extends Pick<UnknownEntry, "key" | "entry">>(
    suspects: readonly T[],
  ): Promise<readonly T[]> {
    const { view } = this.#parts;
    const placements = suspects.map(({ key }) => ({ key, place: null, earlier: [] }));
    const seen = (await view?.differences(placements)) ?? [];
    const paths = new Set(seen.map(({ path }) => path));
    return suspects.flatMap((suspect) => {
      const { entry } = suspect;
      const files = entry.files.filter(({ path }) => paths.has(path));
      return files.length === 0 ? [] : [{ ...suspect, entry: { ...entry, files } }];
    });
  }

  /** Clears the damage mark of an artifact whose object is intact again. */
  async #clearDamage(row: ArtifactRow): Promise<void> {
    const { catalog, clock } = this.#parts;
    const { object, store } = row;
    const by = { at: clock.now(), actor: "system", jobId: null, finding: null, owner: "" };
    await catalog.commit({ kind: "recover", ...by, key: keyOf(row), damaged: object, object, store });
  }

  /** Returns the finding for this read error. Null if the error is not about this artifact. */
  async #findingOf(row: ArtifactRow, error: unknown): Promise<StoreFinding | null> {
    if (!(error instanceof Refused)) return null;
    const about = { path: pathOf(row, row.tier), ...keyOf(row), tier: row.tier };
    const name = keyText(row);
    const isNotOpen = error.code === "TIER_UNAVAILABLE" && !this.#parts.stores.has(row.store);
    if (isNotOpen || isUnreadable(error))
      return {
        kind: "UNREADABLE",
        ...about,
        message: `The bytes of ${name} cannot be read. ${error.message}`,
      };
    if (error.code !== "CHECKSUM_MISMATCH") return null;
    const now = await this.#parts.catalog.artifact(row);
    const object = now && !now.inline ? await this.#parts.stores.get(now.store)?.stat(now.object) : undefined;
    return object === null
      ? {
          kind: "MISSING",
          ...about,
          message: `The bytes of ${name} are missing. ${RECOVERY}`,
        }
      : {
          kind: "DAMAGED",
          ...about,
          message: `The bytes of ${name} do not match its checksum. ${RECOVERY}`,
        };
  }
}

const RECOVERY =
  "Run tierkeep doctor --repair to search for a correct copy. If it finds none, write the artifact again or restore its bytes from a backup.";

/** Kinds that the commit of the finding itself logs. */
const REPORTED_ELSEWHERE: ReadonlySet<StoreFindingKind> = new Set([
  "DAMAGED",
  "MISSING",
  "ADOPTED",
  "HEALED",
]);

const NO_KEY = { tenantId: null, workflowId: null, artifactId: null } as const;

const HOW = {
  copy: "is a copy of its object instead of a link to it, as after a copy of the store without its hard links. It uses the space twice; a repair replaces it with a link",
  missing: "is missing from the tree",
  foreign: "is not this artifact's file",
  sidecar: "is not the published sidecar",
} as const;
