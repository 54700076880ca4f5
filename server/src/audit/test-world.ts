import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Catalog } from "../catalog/catalog.ts";
import type { Change } from "../catalog/changes.ts";
import { scanEvent } from "../catalog/contract/sample-changes.ts";
import { anyCatalog, type CatalogInTempDir } from "../catalog/sqlite/catalog-in-temp-dir.ts";
import { AuditExporter, type AuditExporterParts } from "./exporter.ts";
import { jsonlLine } from "./jsonl-line.ts";

export const LOG = "lifecycle_events.jsonl";
export const SECOND = "lifecycle_events.2.jsonl";

/** A real catalog and a log directory. */
export class World implements AsyncDisposable {
  readonly catalog: Catalog;
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
      onProblem: () => {},
      ...parts,
    });
    // Those on a catalog of their own are made to die, and never come to an end.
    if (!parts.catalog) this.#exporters.push(exporter);
    return exporter;
  }

  /** An exporter's whole life: everything there is, exported. */
  async exportAll(): Promise<void> {
    const exporter = this.exporter();
    await exporter.flush();
    await exporter.close();
  }

  path(file: string): string {
    return join(this.logs, file);
  }

  read(file: string): Promise<string> {
    return readFile(this.path(file), "utf8");
  }

  /** What the log must be: the events after the first `skipped` ones. */
  async lines(skipped = 0, until = Number.MAX_SAFE_INTEGER): Promise<string> {
    const { events } = await this.catalog.eventsAfter({}, skipped, 10_000);
    return events
      .filter(({ seq }) => seq <= until)
      .map(jsonlLine)
      .join("");
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
