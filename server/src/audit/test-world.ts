import { copyFile, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Catalog } from "../catalog/catalog.ts";
import type { Change } from "../catalog/changes.ts";
import { scanEvent } from "../catalog/contract/sample-changes.ts";
import { anyCatalog, type CatalogInTempDir } from "../catalog/sqlite/catalog-in-temp-dir.ts";
import { AuditExporter, type AuditExporterParts } from "./exporter.ts";
import { chainedLines } from "./jsonl-line.ts";
import { segmentNumberOf } from "./log-names.ts";
import { newKeyPem, PublicKeys, signingKey } from "./signing-key.ts";
import type { Head, Verdict } from "./verdict.ts";
import { verifyLog } from "./verify.ts";

export const LOG = "lifecycle_events.jsonl";
export const SECOND = "lifecycle_events.2.jsonl";
export const THIRD = "lifecycle_events.3.jsonl";

export const KEY = signingKey(newKeyPem());

/** A real catalog and a log directory. */
export class World implements AsyncDisposable {
  catalog: Catalog;
  readonly logs: string;
  readonly #opened: CatalogInTempDir;
  readonly #exporters: AuditExporter[] = [];

  private constructor(opened: CatalogInTempDir) {
    this.catalog = opened.catalog;
    this.#opened = opened;
    this.logs = join(opened.folder, "logs");
  }

  static async open(): Promise<World> {
    return new World(await anyCatalog());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#exporters.map((exporter) => exporter.close()));
    await this.#opened[Symbol.asyncDispose]();
  }

  /** Writes events to the catalog's log. */
  async happen(count: number): Promise<void> {
    for (let one = 0; one < count; one++) await this.catalog.commit(scanEvent({ error: "x".repeat(one) }));
  }

  exporter(parts: Partial<AuditExporterParts> = {}): AuditExporter {
    const exporter = new AuditExporter({
      catalog: this.catalog,
      directory: this.logs,
      key: KEY,
      onProblem: () => {},
      ...parts,
    });
    // Those on a catalog of their own are made to die, and never come to an end.
    if (!parts.catalog) this.#exporters.push(exporter);
    return exporter;
  }

  /** An exporter's whole life: everything there is, exported. */
  async exportAll(parts: Partial<AuditExporterParts> = {}): Promise<void> {
    const exporter = this.exporter(parts);
    await exporter.flush();
    await exporter.close();
  }

  path(file: string): string {
    return join(this.logs, file);
  }

  read(file: string): Promise<string> {
    return readFile(this.path(file), "utf8");
  }

  /** What the segments must be, given their numbers and the seqs that they end with: each the next lines of one chain. */
  async lines(...segments: readonly (readonly [number: number, lastSeq?: number])[]): Promise<string[]> {
    const { events } = await this.catalog.eventsAfter({}, 0, 10_000);
    let from = 0;
    let prev: string | null = null;
    return segments.map(([segment, lastSeq = events.length]) => {
      const { bytes, head } = chainedLines(events.slice(from, lastSeq), { segment, prev });
      from = lastSeq;
      prev = head;
      return bytes.toString();
    });
  }

  /** The files with lines that are in the folder. */
  async segments(): Promise<string[]> {
    return (await readdir(this.logs)).filter((file) => segmentNumberOf(file) !== null).sort();
  }

  verify(expected: readonly Head[] = []): Promise<Verdict> {
    return verifyLog({
      directory: this.logs,
      keys: new PublicKeys(KEY.publicPem),
      expected,
      patienceMs: 0,
    });
  }

  /** Lets `meanwhile` happen to the catalog, then brings it back from a backup taken before. The log's files stay. */
  async withBackup(meanwhile: () => Promise<void>): Promise<void> {
    const path = join(this.#opened.folder, "catalog.db");
    await this.catalog.close();
    await copyFile(path, `${path}.backup`);
    this.catalog = await this.#opened.reopen();
    await meanwhile();
    await this.catalog.close();
    await rename(`${path}.backup`, path);
    for (const rest of ["-wal", "-shm"]) await rm(path + rest, { force: true });
    this.catalog = await this.#opened.reopen();
  }
}

/** `catalog` with its `commit` replaced. */
export function withCommit(catalog: Catalog, commit: (change: Change) => Promise<unknown>): Catalog {
  return new Proxy(catalog, {
    get: (_target, name: keyof Catalog) => {
      const own: unknown = name === "commit" ? commit : catalog[name];
      return typeof own === "function" ? own.bind(catalog) : own;
    },
  });
}
