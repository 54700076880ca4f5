import { DatabaseSync } from "node:sqlite";
import type { Catalog } from "../../src/catalog/catalog.ts";
import { openCatalog } from "../../src/catalog/open-catalog.ts";
import type { OpenedCatalog } from "../catalog/opened-catalog.ts";
import { tempDir } from "./temp-dir.ts";

export interface CatalogInTempDir extends OpenedCatalog {
  readonly folder: string;
}

/** For tests that need any catalog: on this thread, and without fsync. */
export function anyCatalog(): Promise<CatalogInTempDir> {
  return catalogInTempDir((path) => openCatalog({ path, durability: "os", thread: "inline" }));
}

/** For tests: a catalog in a temporary folder, which is deleted with it. */
export async function catalogInTempDir(open: (path: string) => Promise<Catalog>): Promise<CatalogInTempDir> {
  const folder = tempDir();
  const path = folder.file("catalog.db");
  let catalog = await open(path);
  return {
    folder: folder.path,
    get catalog() {
      return catalog;
    },
    async reopen() {
      await catalog.close();
      catalog = await open(path);
      return catalog;
    },
    miscount({ tenantId, workflowId }) {
      const db = new DatabaseSync(path);
      if (tenantId === null) db.exec("UPDATE total SET cold = cold + 1");
      else if (workflowId === null)
        db.prepare(
          "UPDATE tenant_held SET cold = cold + 1 WHERE tenant = (SELECT id FROM tenant WHERE name = ?)",
        ).run(tenantId);
      else
        db.prepare(
          `UPDATE workflow_held SET cold = cold + 1 WHERE workflow =
             (SELECT w.id FROM workflow w JOIN tenant t ON t.id = w.tenant WHERE t.name = ? AND w.name = ?)`,
        ).run(tenantId, workflowId);
      db.close();
    },
    async [Symbol.asyncDispose]() {
      await catalog.close();
      folder[Symbol.dispose]();
    },
  };
}
