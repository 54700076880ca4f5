import type { StoreFinding, StoreFindingKind } from "@tierkeep/schema/domain/findings";
import { type ArtifactKey, keyOf, keyText } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Catalog } from "../catalog/catalog.ts";
import type { ArtifactRow } from "../catalog/rows.ts";
import type { Clock } from "../engine/clock.ts";
import { placementOf } from "../engine/publish.ts";
import type { Reader } from "../engine/read.ts";
import type { TierStore } from "../tiers/tier-store.ts";
import type { TierView, TreeEntry, TreePosition, ViewCopy, ViewDifference } from "../tiers/tier-view.ts";
import { pathOf } from "./adoption.ts";

/** Objects asked about at once: each time every row is looked at. */
const OBJECTS_AT_ONCE = 20_000;
const ENTRIES_AT_ONCE = 500;

/** Artifacts by which a copied store is recognised. */
const SAMPLE = 50;

/** What is read before something is told of it, but for one artifact. */
const BYTES_AT_ONCE = 64 * 1024 * 1024;

/** Artifacts that were read, and what is wrong with them. */
export interface Checked {
  readonly rows: readonly ArtifactRow[];
  readonly bytes: number;
  readonly findings: readonly StoreFinding[];
  /** Files of the tree that are copies of these artifacts' objects: a finding each. */
  readonly copies: readonly ViewCopy[];
}

/** An object that nothing knows. */
export interface UnknownObject {
  readonly store: string;
  readonly object: string;
  readonly finding: StoreFinding;
}

/** Files of the tree under a key that the catalog does not have; a finding each. */
export interface UnknownEntry {
  readonly key: ArtifactKey;
  readonly entry: TreeEntry;
  readonly findings: readonly StoreFinding[];
}

export interface CheckerParts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly reader: Reader;
  readonly stores: ReadonlyMap<string, TierStore>;
  readonly view: TierView | null;
}

/** Compares what the catalog says with what is there, both ways. Changes nothing but the events of what is damaged. */
export class Checker {
  readonly #parts: CheckerParts;

  constructor(parts: CheckerParts) {
    this.#parts = parts;
  }

  /**
   * Reads these artifacts, one after the other, as many as are not too long, and compares their places in the tree; null:
   * `signal` aborted before the first was read. `pace` is told of bytes as they come, and may keep the next ones waiting.
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

  /** Puts on the log what it does not know yet; damage is there as soon as it has been read. Answers how many were new. */
  async tell(
    findings: readonly StoreFinding[],
    by: { readonly actor: string; readonly jobId: string | null },
  ): Promise<number> {
    const unreported = findings.filter(({ kind }) => !TOLD_OTHERWISE.has(kind));
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
      if (row.damagedAt !== null) await this.#isWellAgain(row);
      return { bytes, finding: null };
    } catch (error) {
      if (signal.aborted) return null;
      const finding = await this.#whatIsWrong(row, error);
      if (finding === null) throw error;
      return { bytes, finding };
    }
  }

  /** Where the view is not as these rows say, of those that nothing has happened to since. */
  async #view(
    rows: readonly ArtifactRow[],
    signal: AbortSignal,
  ): Promise<{ readonly findings: readonly StoreFinding[]; readonly copies: readonly ViewCopy[] }> {
    const { catalog, view } = this.#parts;
    if (view === null) return { findings: [], copies: [] };
    const placements = rows.map((row) => placementOf({ key: keyOf(row), row, garbage: [] }));
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
      const message = copied.has(path)
        ? `${path} ${HOW.copy}.`
        : `${path} ${HOW[how]}. The artifact itself is as it was: the tree is only a view.`;
      return { kind: "VIEW_DIFFERS", path, ...keyOf(key), tier, message };
    });
    return { findings, copies };
  }

  /** Of these differences, the files that have the bytes of their artifacts: a store that was copied file by file has them. */
  async #copies(
    view: TierView,
    rows: readonly ArtifactRow[],
    differences: readonly ViewDifference[],
    signal: AbortSignal,
  ): Promise<readonly ViewCopy[]> {
    const own = new Map(rows.map((row) => [pathOf(row, row.tier), row]));
    const suspects = differences.flatMap(({ how, path }) => (how === "foreign" && own.get(path)) || []);
    const files = await view.find(suspects.map((row) => ({ key: keyOf(row), tier: row.tier })));
    const candidates = suspects.flatMap((row, index) => {
      const file = files[index];
      return file?.sizeBytes === row.sizeBytes ? [{ row, file }] : [];
    });
    const looked = await view.take(
      candidates.map(({ row, file }) => ({ key: keyOf(row), file, how: { as: "look" } })),
      signal,
    );
    return candidates.flatMap(({ row, file }, index) => {
      const taken = looked?.[index];
      return taken?.state === "taken" && taken.checksum === row.checksum
        ? [{ key: keyOf(row), object: row.object, file }]
        : [];
    });
  }

  /**
   * Whether the tree seems to be a copy of the objects, as after `cp -r`: most of the first artifacts' files have the size
   * of their objects and are no links of them. Reads no bytes.
   */
  async looksCopied(): Promise<boolean> {
    const { catalog, view } = this.#parts;
    if (view === null) return false;
    const rows = (await catalog.artifactsAfter(0, SAMPLE)).filter(({ inline }) => !inline);
    const placements = rows.map((row) => placementOf({ key: keyOf(row), row, garbage: [] }));
    const differences = await view.differences(placements);
    const own = new Map(rows.map((row) => [pathOf(row, row.tier), row]));
    const suspects = differences.flatMap(({ how, path }) => (how === "foreign" && own.get(path)) || []);
    const files = await view.find(suspects.map((row) => ({ key: keyOf(row), tier: row.tier })));
    const copies = suspects.filter((row, index) => files[index]?.sizeBytes === row.sizeBytes);
    return copies.length > rows.length / 2;
  }

  /**
   * Whether what has no row is a stray. It is not while a reindex may still take it up: where there is no artifact at all
   * but something in the tree or among the objects, and until what a reindex has adopted is confirmed.
   */
  async knowsTheStore(): Promise<boolean> {
    const { catalog, stores, view } = this.#parts;
    const running = await catalog.runningJobs();
    if (running.some(({ job }) => job.kind === "reindex") || (await catalog.unconfirmedReindex()) !== null)
      return false;
    if ((await catalog.artifactsAfter(0, 1)).length > 0) return true;
    if (((await view?.walk(null, 1)) ?? []).length > 0) return false;
    for (const store of stores.values()) for await (const _object of store.list()) return false;
    return true;
  }

  /** Objects that nothing knows, of the next ones after `after`; `next` null: there are no more. */
  async unknownObjects(
    after: string | null,
  ): Promise<{ readonly strays: readonly UnknownObject[]; readonly next: string | null }> {
    const strays: UnknownObject[] = [];
    let next: string | null = null;
    for (const store of this.#parts.stores.values()) {
      const objects: string[] = [];
      for await (const object of store.list(after)) {
        objects.push(object);
        if (objects.length === OBJECTS_AT_ONCE) break;
      }
      if (objects.length === OBJECTS_AT_ONCE) next = objects.at(-1) ?? null;
      for (const object of await this.#parts.catalog.strays(store.id, objects)) {
        // What was collected since it was listed: the object goes first, and then what the catalog knows of it.
        if ((await store.stat(object)) === null) continue;
        const finding: StoreFinding = {
          kind: "STRAY",
          path: `.tierkeep/objects/${object.slice(0, 2)}/${object}`,
          ...NO_KEY,
          tier: null,
          message: `The object ${object} is the bytes of no artifact. It stays where it is.`,
        };
        strays.push({ store: store.id, object, finding });
      }
    }
    return { strays, next };
  }

  /** Files of the tree whose keys the catalog does not have, of the next ones after `after`; `next` null: there are no more. */
  async unknownFiles(
    after: TreePosition | null,
  ): Promise<{ readonly strays: readonly UnknownEntry[]; readonly next: TreePosition | null }> {
    const { catalog, view } = this.#parts;
    const entries = (await view?.walk(after, ENTRIES_AT_ONCE)) ?? [];
    const found = entries.flatMap((entry) => (entry.key === null ? [] : [{ key: entry.key, entry }]));
    const keys = found.map(({ key }) => key);
    // The mark first: what is published between the two looks has no mark at the second.
    const dirty = await catalog.areDirty(keys);
    const rows = await catalog.artifacts(keys);
    const suspects = found.filter((_, index) => rows[index] === null && !dirty[index]);
    const there = await this.#stillThere(suspects);
    const strays = there.map(({ key, entry }): UnknownEntry => {
      const findings = entry.files.map(({ tier }): StoreFinding => {
        const path = pathOf(key, tier);
        const message = `${path} is no artifact's: the catalog has none under this key. It stays where it is; a reindex adopts it.`;
        return { kind: "STRAY", path, ...keyOf(key), tier, message };
      });
      return { key, entry, findings };
    });
    return { strays, next: entries.at(-1)?.position ?? null };
  }

  /** What was purged a moment ago may have been seen before it was removed. */
  async #stillThere<T extends Pick<UnknownEntry, "key" | "entry">>(
    suspects: readonly T[],
  ): Promise<readonly T[]> {
    const { view } = this.#parts;
    const placements = suspects.map(({ key }) => ({ key, place: null, earlier: [] }));
    const seen = (await view?.differences(placements)) ?? [];
    const paths = new Set(seen.map(({ path }) => path));
    return suspects.flatMap((suspect) => {
      const { key, entry } = suspect;
      const files = entry.files.filter(({ tier }) => paths.has(pathOf(key, tier)));
      return files.length === 0 ? [] : [{ ...suspect, entry: { ...entry, files } }];
    });
  }

  /** Somebody has brought its bytes back to where they were. */
  async #isWellAgain(row: ArtifactRow): Promise<void> {
    const { catalog, clock } = this.#parts;
    const { object, store } = row;
    const by = { at: clock.now(), actor: "system", jobId: null, finding: null, owner: "" };
    await catalog.commit({ kind: "recover", ...by, key: keyOf(row), damaged: object, object, store });
  }

  /** Null: nothing about this artifact. */
  async #whatIsWrong(row: ArtifactRow, error: unknown): Promise<StoreFinding | null> {
    if (!(error instanceof Refused)) return null;
    const about = { path: pathOf(row, row.tier), ...keyOf(row), tier: row.tier };
    const name = keyText(row);
    const cause = error.cause as { readonly code?: unknown } | undefined;
    if (error.code === "TIER_UNAVAILABLE" && cause?.code === "EIO")
      return {
        kind: "UNREADABLE",
        ...about,
        message: `The bytes of ${name} cannot be read: the disk fails (EIO).`,
      };
    if (error.code !== "CHECKSUM_MISMATCH") return null;
    const now = await this.#parts.catalog.artifact(row);
    const object = now && !now.inline ? await this.#parts.stores.get(now.store)?.stat(now.object) : undefined;
    return object === null
      ? {
          kind: "MISSING",
          ...about,
          message: `The bytes of ${name} are gone. A repair (tierkeep doctor --repair) looks for them; else ${SOURCES}.`,
        }
      : {
          kind: "DAMAGED",
          ...about,
          message: `The bytes of ${name} are not the ones that were written. A repair (tierkeep doctor --repair) looks for them; else ${SOURCES}.`,
        };
  }
}

const SOURCES = "write it again from its source, or bring its bytes back from a backup";

/** By the commit that the finding comes from. */
const TOLD_OTHERWISE: ReadonlySet<StoreFindingKind> = new Set(["DAMAGED", "MISSING", "ADOPTED", "HEALED"]);

const NO_KEY = { tenantId: null, workflowId: null, artifactId: null } as const;

const HOW = {
  copy: "is a copy of its object and no link of it, as after a copy of the store without its hard links. It takes the space twice; a repair links it again",
  missing: "is missing in the tree",
  foreign: "is a file that does not belong there",
  sidecar: "is not the sidecar that was published",
} as const;
