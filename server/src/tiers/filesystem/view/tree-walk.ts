import { basename, dirname, join, relative } from "node:path";
import {
  type IdentifierKind,
  identifierProblem,
  MAX_SEGMENTS,
  SIDECAR_SUFFIX,
} from "@tierkeep/schema/domain/identifiers";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { TIERS, type Tier } from "@tierkeep/schema/domain/tiers";
import { type Disk, type Facts, systemCode } from "../../../files/disk.ts";
import type { FoundFile, LeftPath, TreeEntry, TreePosition } from "../../tier-view.ts";
import { currentPaths } from "../current-paths.ts";
import { FOLDER_FILE, isObjectId, type Layout } from "../layout.ts";
import { revisionOf } from "./ingest-files.ts";
import { readSidecar } from "./view-ownership.ts";

/** Names of one folder that are in memory together; a larger folder is read again for each window. */
const WINDOW = 20_000;

interface TierFolder {
  readonly tier: Tier;
  readonly path: string;
}

/** A file at a path of a key. */
interface Present {
  readonly tier: Tier;
  readonly path: string;
  readonly facts: Facts;
}

/** A path of one tier that a walk has reached. */
interface Reached {
  readonly tier: Tier;
  readonly path: string;
  /** Null: the path does not exist. */
  readonly facts: Facts | null;
}

/** A name below the folder of a workflow, not examined yet. */
interface Met {
  readonly position: TreePosition;
  /** Its path in each tier that has the folder above it. */
  readonly reached: readonly Reached[];
  readonly left: readonly LeftPath[];
}

/** Walks the published tree with the tiers merged. All calls are synchronous. */
export class TreeWalk {
  readonly #disk: Disk;
  readonly #layout: Layout;
  readonly #window: number;
  /** Where the last page ended, and the rest of the walk: the next page usually continues there. */
  #going: { readonly after: string; readonly rest: Generator<Met> } | null = null;

  constructor(disk: Disk, layout: Layout, window = WINDOW) {
    this.#disk = disk;
    this.#layout = layout;
    this.#window = window;
  }

  page(after: TreePosition | null, limit: number): TreeEntry[] {
    const rest = this.#going?.after === placeText(after) ? this.#going.rest : this.#walk(after);
    this.#going = null;
    const entries: TreeEntry[] = [];
    let last = after;
    while (entries.length < limit) {
      const next = rest.next();
      if (next.done) return entries;
      const entry = this.#look(next.value);
      last = entry.position;
      if (entry.files.length + entry.left.length > 0) entries.push(entry);
    }
    this.#going = { after: placeText(last), rest };
    return entries;
  }

  /** Number of names below the folders of workflows, without sidecars and folders. */
  count(): number {
    let count = 0;
    for (const { position, reached } of this.#walk(null)) {
      const isFolder = reached.some(({ facts }) => facts?.kind === "directory");
      if (!isFolder && !isSidecar(position.name)) count += 1;
    }
    return count;
  }

  /** As TierView.find. */
  find(places: readonly { readonly key: ArtifactKey; readonly tier: Tier }[]): (FoundFile | null)[] {
    return places.map(({ key, tier }) => {
      const places = TIERS.flatMap((each): Present[] => {
        const path = currentPaths(this.#disk, this.#layout, each, key).artifact;
        const facts = this.#disk.lstat(path);
        return facts?.kind === "file" ? [{ tier: each, path, facts }] : [];
      });
      return this.#files(places).find((file) => file.tier === tier) ?? null;
    });
  }

  *#walk(after: TreePosition | null): Generator<Met> {
    const tiers = TIERS.map((tier) => ({ tier, path: this.#layout.tierDirectory(tier) }));
    const [roots, strange] = this.#split(tiers);
    if (after === null && strange.length > 0)
      yield { position: { tenant: "", workflow: "", name: "" }, reached: [], left: strange };
    for (const tenant of this.#names(roots, after?.tenant ?? null, true)) {
      const [tenants, files] = this.#split(below(roots, tenant));
      if (files.length > 0 && !(after !== null && tenant <= after.tenant))
        yield { position: { tenant, workflow: "", name: "" }, reached: [], left: files };
      const from = after?.tenant === tenant ? after : null;
      for (const workflow of this.#names(tenants, from?.workflow ?? null, true)) {
        const [folders, others] = this.#split(below(tenants, workflow));
        if (others.length > 0 && !(from !== null && workflow <= from.workflow))
          yield { position: { tenant, workflow, name: "" }, reached: [], left: others };
        const start = from?.workflow === workflow && from.name !== "" ? from.name.split("/") : null;
        yield* this.#below({ tenant, workflow, name: "" }, folders, start);
      }
    }
  }

  /**
   * What is below a folder: each name, then what is below that, strictly after the path `from` (null: from the
   * start). `at`: the folder's position.
   */
  *#below(at: TreePosition, folders: readonly TierFolder[], from: readonly string[] | null): Generator<Met> {
    const [first, ...rest] = from ?? [];
    for (const name of this.#names(folders, first ?? null, true)) {
      if (name === FOLDER_FILE && at.name !== "") continue;
      const position = { ...at, name: at.name === "" ? name : `${at.name}/${name}` };
      const reached = folders.map(({ tier, path: folder }): Reached => {
        const path = join(folder, name);
        return { tier, path, facts: this.#disk.lstat(path) };
      });
      if (name !== first) yield { position, reached, left: [] };
      const inner = reached.filter(({ facts, path }) => facts?.kind === "directory" && this.#mayList(path));
      if (inner.length === 0 || folderProblem(position) !== null) continue;
      yield* this.#below(position, inner, name === first && rest.length > 0 ? rest : null);
    }
  }

  /**
   * Splits paths into folders and paths where a readable folder is expected but missing. A path that does not
   * exist is in neither.
   */
  #split(places: readonly TierFolder[]): [folders: TierFolder[], others: LeftPath[]] {
    const folders: TierFolder[] = [];
    const others: LeftPath[] = [];
    for (const { tier, path } of places) {
      const kind = this.#disk.lstat(path)?.kind;
      if (kind === undefined) continue;
      if (kind !== "directory")
        others.push(
          this.#left(tier, path, "NOT_AN_ARTIFACT", "is not a folder, and only folders belong there"),
        );
      else if (!this.#mayList(path))
        others.push(this.#left(tier, path, "UNREADABLE", "cannot be listed by this user"));
      else folders.push({ tier, path });
    }
    return [folders, others];
  }

  #mayList(path: string): boolean {
    try {
      for (const _name of this.#disk.names(path)) break;
      return true;
    } catch (error) {
      if (systemCode(error) === "EACCES") return false;
      throw error;
    }
  }

  /** The names in several folders, each once and in order; `from` itself only with `inclusive`. */
  *#names(folders: readonly TierFolder[], from: string | null, inclusive: boolean): Generator<string> {
    for (let bound = from, within = inclusive; ; within = false) {
      const window = this.#smallest(folders, bound, within);
      yield* window;
      const last = window.at(-1);
      if (last === undefined || window.length < this.#window) return;
      bound = last;
    }
  }

  #smallest(folders: readonly TierFolder[], from: string | null, inclusive: boolean): string[] {
    let kept: string[] = [];
    let most = null as string | null;
    const cut = () => {
      kept = [...new Set(kept)].sort(byUnits).slice(0, this.#window);
      if (kept.length === this.#window) most = kept.at(-1) ?? null;
    };
    for (const { path } of folders) {
      for (const name of this.#disk.names(path)) {
        if (from !== null && (inclusive ? name < from : name <= from)) continue;
        if (most !== null && name > most) continue;
        kept.push(name);
        if (kept.length > 2 * this.#window) cut();
      }
    }
    cut();
    return kept;
  }

  #look({ position, reached, left }: Met): TreeEntry {
    if (left.length > 0) return { position, key: null, files: [], left };
    const refused = nameProblem(position);
    const examined = reached.flatMap((one) => this.#examine(position, one, refused) ?? []);
    const found = examined.filter((one) => "facts" in one);
    const others = examined.filter((one) => "message" in one);
    const key = found.length > 0 ? keyAt(position) : null;
    return { position, key, files: this.#files(found), left: others };
  }

  /** Returns the file of a key, or a path that stays; null: neither. */
  #examine(
    position: TreePosition,
    { tier, path, facts }: Reached,
    refused: string | null,
  ): Present | LeftPath | null {
    if (facts === null) return this.#whyMissing(tier, path);
    if (facts.kind === "directory") return this.#inFolder(position, tier, path);
    if (facts.kind === "other")
      return this.#left(
        tier,
        path,
        "NOT_AN_ARTIFACT",
        "is not a file, and only files and folders belong there",
      );
    const name = basename(path);
    if (name.startsWith(".") && name.endsWith(".tmp"))
      return this.#left(tier, path, "TEMPORARY_FILE", "was left by an interrupted write");
    if (isSidecar(name)) {
      // A sidecar is not an artifact, so it has no sidecar itself.
      const owner = path.slice(0, -SIDECAR_SUFFIX.length);
      return !isSidecar(owner) && this.#disk.lstat(owner)?.kind === "file"
        ? null
        : this.#left(tier, path, "ORPHAN_SIDECAR", "is a sidecar without an artifact beside it");
    }
    return refused === null
      ? { tier, path, facts }
      : this.#left(tier, path, "NAME_REFUSED", `cannot be the name of an artifact: ${refused}`);
  }

  /** Returns the file of the artifact whose path is this folder. */
  #inFolder(position: TreePosition, tier: Tier, folder: string): Present | LeftPath | null {
    const problem = folderProblem(position);
    if (problem !== null)
      return this.#left(tier, folder, "NAME_REFUSED", `cannot be a folder of artifacts: ${problem}`);
    if (!this.#mayList(folder))
      return this.#left(tier, folder, "UNREADABLE", "cannot be listed by this user");
    const path = join(folder, FOLDER_FILE);
    const facts = this.#disk.lstat(path);
    if (facts === null) return null;
    return facts.kind === "file"
      ? { tier, path, facts }
      : this.#left(tier, path, "NOT_AN_ARTIFACT", "is not a file, and only a file belongs there");
  }

  /** Returns why a listed name leads to no file. */
  #whyMissing(tier: Tier, path: string): LeftPath | null {
    // Node converts bytes that are not UTF-8 into U+FFFD. Any other name was deleted since, or exists in
    // another tier only.
    const name = basename(path);
    return name.includes("\ufffd") && this.#hasName(dirname(path), name)
      ? this.#left(tier, path, "NAME_REFUSED", "has a name that is not UTF-8")
      : null;
  }

  /** `present`: all files of one key, in the order of the tiers. */
  #files(present: readonly Present[]): FoundFile[] {
    return present.map(({ tier, path, facts }) => {
      const { identity, sizeBytes, modifiedNs, links } = facts;
      const same = present.filter((other) => other.facts.identity === identity);
      const sidecar = readSidecar(this.#disk, `${path}${SIDECAR_SUFFIX}`);
      const named = sidecar.facts?._object;
      const isObject =
        typeof named === "string" &&
        isObjectId(named) &&
        this.#disk.lstat(this.#layout.objectPath(named))?.identity === identity;
      // An object that two rows name would be deleted when one of them releases it.
      const object = isObject && links === same.length + 1 ? named : null;
      const reusable = links <= same.length;
      const sameAs = same[0]?.tier ?? tier;
      const shown = relative(this.#layout.root, path);
      const revision = revisionOf(facts);
      return { tier, path: shown, sizeBytes, modifiedNs, revision, sidecar, sameAs, object, reusable };
    });
  }

  #hasName(folder: string, name: string): boolean {
    for (const each of this.#disk.names(folder)) if (each === name) return true;
    return false;
  }

  #left(tier: Tier, path: string, kind: LeftPath["kind"], how: string): LeftPath {
    const shown = relative(this.#layout.root, path);
    return { path: shown, tier, kind, message: `${shown} ${how}. It stays where it is.` };
  }
}

function below(folders: readonly TierFolder[], name: string): TierFolder[] {
  return folders.map(({ tier, path }) => ({ tier, path: join(path, name) }));
}

function isSidecar(name: string): boolean {
  return name.endsWith(SIDECAR_SUFFIX);
}

function keyAt({ tenant, workflow, name }: TreePosition): ArtifactKey {
  return { tenantId: tenant, workflowId: workflow, artifactId: name };
}

/** Returns why a position is not a valid key, as the end of a sentence; null: it is valid. */
function nameProblem(position: TreePosition): string | null {
  for (const [kind, value] of Object.entries(keyAt(position)) as [IdentifierKind, string][]) {
    const problem = identifierProblem(kind, value);
    if (problem !== null) return `${kind} ${JSON.stringify(value)} ${problem}`;
  }
  return null;
}

/** Returns why a folder cannot contain artifacts, as the end of a sentence; null: it can. */
function folderProblem(position: TreePosition): string | null {
  const depth = position.name.split("/").length;
  return depth < MAX_SEGMENTS
    ? nameProblem(position)
    : `its files would have more than ${MAX_SEGMENTS} segments`;
}

function placeText(position: TreePosition | null): string {
  return JSON.stringify(position && [position.tenant, position.workflow, position.name]);
}

function byUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
