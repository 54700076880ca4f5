// Creates a catalog as after years of use: 1,000 tenants with four workflows each, random names, a fifth of the
// artifacts overwritten, everything settled, published and collected.
import { randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import type { WriteChange } from "../../server/src/catalog/artifact-changes.ts";
import { SqliteWriter } from "../../server/src/catalog/sqlite/writes/writer.ts";

export const TENANTS = 1_000;
const WORKFLOWS = 4;

/** Changes per transaction. Large, because no client waits for a commit. */
const GROUP = 4_096;

/** Time of the first write in ms since the epoch. The others follow every WRITE_EVERY_MS. */
export const FILLED_FROM = Date.UTC(2026, 0, 1);
const WRITE_EVERY_MS = 100;

export interface Key {
  readonly tenantId: string;
  readonly workflowId: string;
  readonly artifactId: string;
}

export const random = (below: number) => Math.floor(Math.random() * below);

export function randomKey(): Key {
  return {
    tenantId: `tenant-${random(TENANTS)}`,
    workflowId: `workflow-${random(WORKFLOWS)}`,
    artifactId: `report-${randomBytes(8).toString("hex")}.pdf`,
  };
}

export function write(key: Key, at: number, tier: WriteChange["tier"] = "HOT"): WriteChange {
  return {
    kind: "write",
    key,
    tier,
    object: randomBytes(16).toString("hex"),
    store: "files",
    bytes: new Uint8Array(0),
    owner: "bench",
    sizeBytes: 1_000 + random(100_000),
    checksum: randomBytes(32).toString("hex"),
    contentType: "application/pdf",
    metadata: { producer: "nightly", pages: random(100) },
    ifAbsent: false,
    ifChecksum: null,
    at,
    actor: "bench",
  };
}

/** Returns the time of the last write of a catalog that is filled with `rows` rows. */
export function filledUntil(rows: number): number {
  return FILLED_FROM + Math.round(rows * 1.2) * WRITE_EVERY_MS;
}

/** Fills a catalog that is new or not open in any process. Returns its keys. */
export function fillCatalog(path: string, rows: number): readonly Key[] {
  const writer = new SqliteWriter({ path, durability: "os" });
  const keys: Key[] = [];
  const tiers = ["HOT", "WARM", "COLD"] as const;
  const total = Math.round(rows * 1.2);
  for (let done = 0; done < total; ) {
    const group: WriteChange[] = [];
    for (; group.length < GROUP && done < total; done += 1) {
      // One write in six overwrites an existing key: a fifth of the artifacts.
      const known = done % 6 === 5 ? keys[random(keys.length)] : undefined;
      const key = known ?? randomKey();
      if (known === undefined) keys.push(key);
      group.push(write(key, FILLED_FROM + done * WRITE_EVERY_MS, tiers[random(3)]));
    }
    writer.run(group);
    writer.checkpointIfLong();
  }
  writer.close();
  // The result of settling, publishing and collecting.
  const db = new DatabaseSync(path);
  db.exec(`UPDATE artifact SET inline = NULL WHERE inline IS NOT NULL; DELETE FROM inline_bytes; DELETE FROM dirty;
    DELETE FROM garbage; UPDATE total SET unsettled = 0, unsettled_bytes = 0; PRAGMA wal_checkpoint(TRUNCATE)`);
  db.close();
  return keys;
}
