import { join, relative } from "node:path";
import { type IdentifierKind, identifierProblem, SIDECAR_SUFFIX } from "@tierkeep/schema/domain/identifiers";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { TIERS, type Tier } from "@tierkeep/schema/domain/tiers";
import { type Disk, type Facts, systemCode } from "../../../files/disk.ts";
import type { FoundFile, LeftPath, TreeEntry, TreePosition } from "../../tier-view.ts";
import { isObjectId, type Layout } from "../layout.ts";
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

/** A name below the folders of a workflow, not examined yet. */
interface Met {
  readonly position: TreePosition;
  /** The folders of the workflow, one per tier. */
  readonly folders: readonly TierFolder[];
  readonly left: readonly LeftPath[];
}

/** Walks the published tree, three folders deep and with the tiers merged. All calls are synchronous. */
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

  /** Number of names below the folders of workflows, without sidecars. */
  count(): number {
    let count = 0;
    for (const { position } of this.#walk(null)) if (!isSidecar(position.name)) count += 1;
    return count;
  }

  /** As TierView.find. */
  find(places: readonly { readonly key: ArtifactKey; readonly tier: Tier }[]): (FoundFile | null)[] {
    return places.map(({ key, tier }) => {
      const places = TIERS.flatMap((each): Present[] => {
        const path = this.#layout.viewPaths(each, key).artifact;
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
      yield { position: { tenant: "", workflow: "", name: "" }, folders: [], left: strange };
    for (const tenant of this.#names(roots, after?.tenant ?? null, true)) {
      const [tenants, files] = this.#split(below(roots, tenant));
      if (files.length > 0 && !(after !== null && tenant <= after.tenant))
        yield { position: { tenant, workflow: "", name: "" }, folders: [], left: files };
      const from = after?.tenant === tenant ? after : null;
      for (const workflow of this.#names(tenants, from?.workflow ?? null, true)) {
        const [folders, others] = this.#split(below(tenants, workflow));
        if (others.length > 0 && !(from !== null && workflow <= from.workflow))
          yield { position: { tenant, workflow, name: "" }, folders: [], left: others };
        const start = from?.workflow === workflow ? from.name : null;
        for (const name of this.#names(folders, start, false))
          yield { position: { tenant, workflow, name }, folders, left: [] };
      }
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

  #look({ position, folders, left }: Met): TreeEntry {
    const { tenant, workflow, name } = position;
    if (left.length > 0) return { position, key: null, files: [], left };
    const found: Present[] = [];
    const others: LeftPath[] = [];
    const refused = nameProblem(tenant, workflow, name);
    for (const { tier, path: folder } of folders) {
      const path = join(folder, name);
      const facts = this.#disk.lstat(path);
      const why =
        facts === null ? this.#whyNot(tier, folder, name) : this.#whyLeft(tier, path, facts, refused);
      if (why === "nothing") continue;
      if (why !== null) others.push(why);
      else if (facts !== null) found.push({ tier, path, facts });
    }
    const key = found.length > 0 ? { tenantId: tenant, workflowId: workflow, artifactId: name } : null;
    return { position, key, files: this.#files(found), left: others };
  }

  /** Returns why a listed name leads to no file. */
  #whyNot(tier: Tier, folder: string, name: string): LeftPath | "nothing" {
    // Node converts bytes that are not UTF-8 into U+FFFD. Any other name was deleted since, or exists in
    // another tier only.
    if (!name.includes("\ufffd")) return "nothing";
    return this.#hasName(folder, name)
      ? this.#left(tier, join(folder, name), "NAME_REFUSED", "has a name that is not UTF-8")
      : "nothing";
  }

  #whyLeft(tier: Tier, path: string, facts: Facts, refused: string | null): LeftPath | "nothing" | null {
    if (facts.kind !== "file")
      return this.#left(tier, path, "NOT_AN_ARTIFACT", "is not a file, and only files belong there");
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (name.startsWith(".") && name.endsWith(".tmp"))
      return this.#left(tier, path, "TEMPORARY_FILE", "was left by an interrupted write");
    if (isSidecar(name)) {
      // A sidecar is not an artifact, so it has no sidecar itself.
      const owner = path.slice(0, -SIDECAR_SUFFIX.length);
      return !isSidecar(owner) && this.#disk.lstat(owner)?.kind === "file"
        ? "nothing"
        : this.#left(tier, path, "ORPHAN_SIDECAR", "is a sidecar without an artifact beside it");
    }
    return refused === null
      ? null
      : this.#left(tier, path, "NAME_REFUSED", `cannot be the name of an artifact: ${refused}`);
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
      return { tier, sizeBytes, modifiedNs, revision: revisionOf(facts), sidecar, sameAs, object, reusable };
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

/** Returns why these names are not a valid key, as the end of a sentence; null: they are valid. */
function nameProblem(tenant: string, workflow: string, name: string): string | null {
  const parts: [IdentifierKind, string][] = [
    ["tenantId", tenant],
    ["workflowId", workflow],
    ["artifactId", name],
  ];
  for (const [kind, value] of parts) {
    const problem = identifierProblem(kind, value);
    if (problem !== null) return `${kind} ${JSON.stringify(value)} ${problem}`;
  }
  return null;
}

function placeText(position: TreePosition | null): string {
  return JSON.stringify(position && [position.tenant, position.workflow, position.name]);
}

function byUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
