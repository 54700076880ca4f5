import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { keyText } from "@tierkeep/schema/domain/keys";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import type { ArtifactRow } from "../../src/catalog/rows.ts";
import { sidecarOf } from "../../src/engine/sidecar.ts";
import type { ExpectedArtifact } from "./expected.ts";
import { catalogPath, type SimulatedProcess } from "./simulated-process.ts";

/** The content of foreign files. */
export const FOREIGN_CONTENT = "a foreign file";

/**
 * Returns the number of foreign files anywhere in the store. A rename that was lost in part leaves two names
 * of one file.
 */
export function foreignFilesIn(root: string): number {
  const paths = filesBelow(root).map((path) => join(root, path));
  return new Set(paths.filter(isForeign).map((path) => lstatSync(path).ino)).size;
}

function isForeign(path: string): boolean {
  return lstatSync(path).size === FOREIGN_CONTENT.length && readFileSync(path, "utf8") === FOREIGN_CONTENT;
}

/** Returns every row, in key order. */
export async function rowsOf({ engine }: SimulatedProcess): Promise<ArtifactRow[]> {
  const rows: ArtifactRow[] = [];
  for (;;) {
    const last = rows.at(-1);
    const page = await engine.catalog.listArtifacts(
      {},
      { field: "KEY", direction: "ASC" },
      { after: last ? { key: last } : null, before: null, limit: 100, backward: false },
    );
    rows.push(...page);
    if (page.length < 100) return rows;
  }
}

/** Returns the artifacts as a client sees them. */
export async function artifactsOf(simulated: SimulatedProcess): Promise<Map<string, ExpectedArtifact>> {
  const rows = await rowsOf(simulated);
  return new Map(
    rows.map((row) => [
      keyText(row),
      {
        checksum: row.checksum,
        sizeBytes: row.sizeBytes,
        tier: row.tier,
        createdAt: row.createdAt,
        modifiedAt: row.modifiedAt,
        promotedAt: row.promotedAt,
        promotedFrom: row.promotedFrom,
        ageSince: row.ageSince,
      },
    ]),
  );
}

/** Checks the invariants of a store. Resolves with a sentence for each violation. */
export async function violationsIn(simulated: SimulatedProcess, root: string): Promise<string[]> {
  const rows = await rowsOf(simulated);
  const found = [
    ...(await missingBytes(simulated, rows)),
    ...(await unknownObjects(simulated)),
    ...(await wrongCounters(simulated, root)),
  ];
  const dirty = withCatalog(root, (db) =>
    names(
      db,
      "SELECT t.name || '/' || w.name || '/' || d.name AS name FROM dirty d JOIN workflow w ON w.id = d.workflow JOIN tenant t ON t.id = w.tenant",
    ),
  );
  found.push(...viewViolations(root, rows, new Set(dirty)));
  const inBoth = withCatalog(root, (db) =>
    names(db, "SELECT object AS name FROM artifact INTERSECT SELECT object FROM garbage"),
  );
  found.push(...inBoth.map((object) => `object ${object} is referenced by a row and is garbage`));
  const staged = withCatalog(root, (db) =>
    names(db, "SELECT object AS name FROM artifact INTERSECT SELECT object FROM staged"),
  );
  found.push(...staged.map((object) => `object ${object} is referenced by a row and still staged`));
  return found;
}

/** Checks that no work is left after a drain without failures. Returns a sentence for each table that is not empty. */
export function leftovers(root: string): string[] {
  return withCatalog(root, (db) =>
    ["dirty", "garbage", "staged", "inline_bytes"].flatMap((table) => {
      const count = (db.prepare(`SELECT count(*) AS count FROM ${table}`).get() as { count: number }).count;
      return count === 0 ? [] : [`${count} rows are left in ${table}`];
    }),
  );
}

async function missingBytes(simulated: SimulatedProcess, rows: readonly ArtifactRow[]): Promise<string[]> {
  const found: string[] = [];
  for (const row of rows) {
    try {
      const bytes = await simulated.engine.artifacts.bytes(
        { actor: "model", role: "ADMIN", tenants: null },
        row,
      );
      const checksum = bytes && createHash("sha256").update(bytes).digest("hex");
      if (checksum !== row.checksum) found.push(`${keyText(row)} reads as ${checksum}`);
    } catch (error) {
      found.push(`${keyText(row)} cannot be read: ${error}`);
    }
  }
  return found;
}

/** Finds objects that the catalog does not know. There are none, because an object is staged before it is created. */
async function unknownObjects({ engine, tiers }: SimulatedProcess): Promise<string[]> {
  const objects: string[] = [];
  const store = tiers.storeOf("HOT");
  for await (const object of store.list()) objects.push(object);
  const unknown = await engine.catalog.strays(store.id, objects);
  return unknown.map((object) => `the catalog does not know object ${object}`);
}

/** Finds wrong counters of tenants, of workflows and of the store, and gaps in the events. */
async function wrongCounters({ engine }: SimulatedProcess, root: string): Promise<string[]> {
  const miscounts = await engine.catalog.miscounts(100);
  const gap = withCatalog(root, (db) =>
    db.prepare("SELECT count(*) AS events, coalesce(max(seq), 0) AS newest FROM event").get(),
  ) as { readonly events: number; readonly newest: number };
  return [
    ...miscounts.map((miscount) => `wrong counter: ${JSON.stringify(miscount)}`),
    ...(gap.events === gap.newest ? [] : [`${gap.events} events up to seq ${gap.newest}`]),
  ];
}

/** Checks the published files. Those of unpublished keys may be of any version; all others must match their rows. */
function viewViolations(root: string, rows: readonly ArtifactRow[], dirty: ReadonlySet<string>): string[] {
  const found: string[] = [];
  const wanted = new Map<string, () => string | null>();
  for (const row of rows) {
    const name = keyText(row);
    if (dirty.has(name)) continue;
    const flat = join(root, row.tier.toLowerCase(), name);
    const path = lstatSync(flat, { throwIfNoEntry: false })?.isDirectory() ? join(flat, ".file") : flat;
    wanted.set(path, () => {
      const object = join(root, ".tierkeep", "objects", row.object.slice(0, 2), row.object);
      return lstatSync(path).ino === lstatSync(object).ino ? null : `${path} is not a link to its object`;
    });
    wanted.set(`${path}.metadata.json`, () =>
      readFileSync(`${path}.metadata.json`).equals(sidecarOf(row))
        ? null
        : `${path}.metadata.json does not match its row`,
    );
  }
  for (const tier of TIERS) {
    const folder = join(root, tier.toLowerCase());
    for (const relative of filesBelow(folder)) {
      const path = join(folder, relative);
      const check = wanted.get(path);
      wanted.delete(path);
      const problem = check?.();
      if (problem) found.push(problem);
      const name = relative.replace(/\.metadata\.json$/, "").replace(/\/\.file$/, "");
      if (!check && !dirty.has(name) && !isForeign(path)) found.push(`${path} should not exist`);
    }
  }
  if (dirty.size === 0) found.push(...emptyFolders(root).map((path) => `${path} is an empty folder`));
  return [...found, ...[...wanted.keys()].map((path) => `${path} is missing`)];
}

/** Returns the empty folders below those of workflows. */
function emptyFolders(root: string): string[] {
  return TIERS.flatMap((tier) =>
    readdirSync(join(root, tier.toLowerCase()), { recursive: true, withFileTypes: true }),
  )
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => path.slice(root.length + 1).split("/").length > 3 && readdirSync(path).length === 0);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

function names(db: DatabaseSync, sql: string): string[] {
  return db
    .prepare(sql)
    .all()
    .map((row) => String(row.name));
}

function withCatalog<T>(root: string, look: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(catalogPath(root), { readOnly: true });
  try {
    return look(db);
  } finally {
    db.close();
  }
}
