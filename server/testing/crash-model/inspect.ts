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

/** Content of foreign files. */
export const FOREIGN_CONTENT = "a foreign file";

/** Number of foreign files in the whole store. A rename that was partly lost leaves two names of one file, which counts once. */
export function foreignFilesIn(root: string): number {
  const paths = filesBelow(root).map((path) => join(root, path));
  return new Set(paths.filter(isForeign).map((path) => lstatSync(path).ino)).size;
}

function isForeign(path: string): boolean {
  return lstatSync(path).size === FOREIGN_CONTENT.length && readFileSync(path, "utf8") === FOREIGN_CONTENT;
}

/** Every row, in key order. */
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

/** The state of every artifact as a client sees it. */
export async function visibleState(life: SimulatedProcess): Promise<Map<string, ExpectedArtifact>> {
  const rows = await rowsOf(life);
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

/** Violated invariants of a store, as sentences; empty: none. */
export async function breaches(life: SimulatedProcess, root: string): Promise<string[]> {
  const rows = await rowsOf(life);
  const found = [
    ...(await missingBytes(life, rows)),
    ...(await strays(life)),
    ...(await wrongCounters(life, root)),
  ];
  const dirty = withCatalog(root, (db) =>
    names(
      db,
      "SELECT t.name || '/' || w.name || '/' || d.name AS name FROM dirty d JOIN workflow w ON w.id = d.workflow JOIN tenant t ON t.id = w.tenant",
    ),
  );
  found.push(...viewBreaches(root, rows, new Set(dirty)));
  const inBoth = withCatalog(root, (db) =>
    names(db, "SELECT object AS name FROM artifact INTERSECT SELECT object FROM garbage"),
  );
  found.push(...inBoth.map((object) => `object ${object} is in a row and in garbage`));
  const staged = withCatalog(root, (db) =>
    names(db, "SELECT object AS name FROM artifact INTERSECT SELECT object FROM staged"),
  );
  found.push(...staged.map((object) => `object ${object} is in a row and still staged`));
  return found;
}

/** Work that is left after a drain without faults, as sentences; must be empty. */
export function leftovers(root: string): string[] {
  return withCatalog(root, (db) =>
    ["dirty", "garbage", "staged", "inline_bytes"].flatMap((table) => {
      const count = (db.prepare(`SELECT count(*) AS count FROM ${table}`).get() as { count: number }).count;
      return count === 0 ? [] : [`${count} rows are left in ${table}`];
    }),
  );
}

async function missingBytes(life: SimulatedProcess, rows: readonly ArtifactRow[]): Promise<string[]> {
  const found: string[] = [];
  for (const row of rows) {
    try {
      const bytes = await life.engine.artifacts.bytes({ actor: "model", role: "ADMIN", tenants: null }, row);
      const checksum = bytes && createHash("sha256").update(bytes).digest("hex");
      if (checksum !== row.checksum) found.push(`${keyText(row)} reads as ${checksum}`);
    } catch (error) {
      found.push(`${keyText(row)} cannot be read: ${error}`);
    }
  }
  return found;
}

/** Unknown objects. There must be none, because every object is staged before it is created. */
async function strays({ engine, tiers }: SimulatedProcess): Promise<string[]> {
  const objects: string[] = [];
  for await (const object of tiers.base.list()) objects.push(object);
  const unknown = await engine.catalog.strays(tiers.base.id, objects);
  return unknown.map((object) => `object ${object} is known to nothing`);
}

/** Wrong usage counters of tenants, workflows and the store, and a wrong event count (the newest seq is the count). */
async function wrongCounters({ engine }: SimulatedProcess, root: string): Promise<string[]> {
  const miscounts = await engine.catalog.miscounts(100);
  const gap = withCatalog(root, (db) =>
    db.prepare("SELECT count(*) AS events, coalesce(max(seq), 0) AS newest FROM event").get(),
  ) as { readonly events: number; readonly newest: number };
  return [
    ...miscounts.map((miscount) => `counted wrongly: ${JSON.stringify(miscount)}`),
    ...(gap.events === gap.newest ? [] : [`${gap.events} events up to seq ${gap.newest}`]),
  ];
}

/** Differences between the tree and the rows. Paths of unpublished keys may be in any state. */
function viewBreaches(root: string, rows: readonly ArtifactRow[], dirty: ReadonlySet<string>): string[] {
  const found: string[] = [];
  const wanted = new Map<string, () => string | null>();
  for (const row of rows) {
    const name = keyText(row);
    if (dirty.has(name)) continue;
    const path = join(root, row.tier.toLowerCase(), name);
    wanted.set(path, () => {
      const object = join(root, ".tierkeep", "objects", row.object.slice(0, 2), row.object);
      return lstatSync(path).ino === lstatSync(object).ino ? null : `${path} is no link to its object`;
    });
    wanted.set(`${path}.metadata.json`, () =>
      readFileSync(`${path}.metadata.json`).equals(sidecarOf(row))
        ? null
        : `${path}.metadata.json is not its row's`,
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
      const name = relative.replace(/\.metadata\.json$/, "");
      if (!check && !dirty.has(name) && !isForeign(path)) found.push(`${path} should not be there`);
    }
  }
  return [...found, ...[...wanted.keys()].map((path) => `${path} is missing`)];
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
