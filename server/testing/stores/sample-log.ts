import { copyFile, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { AuditExporter, type AuditExporterParts } from "../../src/audit/exporter.ts";
import { segmentNumberOf } from "../../src/audit/log-names.ts";
import { PublicKeys, type SigningKey } from "../../src/audit/signing-key.ts";
import type { Head, Verdict } from "../../src/audit/verdict.ts";
import { verifyLog } from "../../src/audit/verify.ts";
import type { Catalog } from "../../src/catalog/catalog.ts";
import { openCatalog } from "../../src/catalog/open-catalog.ts";
import { scanEvent } from "../catalog/sample-changes.ts";

/** A size in bytes between that of one sample line and that of three. */
export const TWO_LINES = 600;

/** A real catalog and the audit log of its events. Files are not synced. */
export class SampleLog implements AsyncDisposable {
  catalog: Catalog;
  readonly logs: string;
  readonly #folder: string;
  readonly #key: SigningKey;
  readonly #exporters: AuditExporter[] = [];

  protected constructor(catalog: Catalog, folder: string, key: SigningKey) {
    this.catalog = catalog;
    this.logs = join(folder, "logs");
    this.#folder = folder;
    this.#key = key;
  }

  /** @param folder must exist and be empty */
  static async in(folder: string, key: SigningKey): Promise<SampleLog> {
    return new SampleLog(await catalogIn(folder), folder, key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#exporters.map((exporter) => exporter.close()));
    await this.catalog.close();
  }

  /** Writes events to the catalog's log. */
  async happen(count: number, actor = "system"): Promise<void> {
    for (let one = 0; one < count; one++)
      await this.catalog.commit(scanEvent({ actor, error: "x".repeat(one) }));
  }

  exporter(parts: Partial<AuditExporterParts> = {}): AuditExporter {
    const exporter = new AuditExporter({
      catalog: this.catalog,
      directory: this.logs,
      key: this.#key,
      onProblem: () => {},
      ...parts,
    });
    // Exporters with another catalog simulate a crash, so they are never closed.
    if (!parts.catalog) this.#exporters.push(exporter);
    return exporter;
  }

  /** Starts an exporter, exports everything, and closes it. */
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

  /** Returns the files with lines in the folder. */
  async segments(): Promise<string[]> {
    return (await readdir(this.logs)).filter((file) => segmentNumberOf(file) !== null).sort();
  }

  verify(expected: readonly Head[] = []): Promise<Verdict> {
    return verifyLog({
      directory: this.logs,
      keys: new PublicKeys(this.#key.publicPem),
      expected,
      waitTimeoutMs: 0,
    });
  }

  /** Runs `change` on the catalog, then restores the catalog from an earlier backup. The log's files stay. */
  async withBackup(change: () => Promise<void>): Promise<void> {
    const path = catalogPath(this.#folder);
    await this.catalog.close();
    await copyFile(path, `${path}.backup`);
    this.catalog = await catalogIn(this.#folder);
    await change();
    await this.catalog.close();
    await rename(`${path}.backup`, path);
    for (const rest of ["-wal", "-shm"]) await rm(path + rest, { force: true });
    this.catalog = await catalogIn(this.#folder);
  }
}

export function catalogIn(folder: string): Promise<Catalog> {
  return openCatalog({ path: catalogPath(folder), durability: "os", thread: "inline" });
}

function catalogPath(folder: string): string {
  return join(folder, "catalog.db");
}
