import type { Catalog } from "../catalog.ts";
import type { OpenedCatalog } from "../contract/opened-catalog.ts";
import { openCatalog } from "../open-catalog.ts";
import { tempDir } from "./temp-dir.ts";

/** For tests that need a catalog and not its driver: on this thread, and nobody waits for the disk. */
export function anyCatalog(): Promise<OpenedCatalog> {
  return catalogInTempDir((path) => openCatalog({ path, durability: "os", thread: "inline" }));
}

/** For tests: a catalog in a folder of its own, which goes with it. */
export async function catalogInTempDir(open: (path: string) => Promise<Catalog>): Promise<OpenedCatalog> {
  const folder = tempDir();
  const path = folder.file("catalog.db");
  let catalog = await open(path);
  return {
    get catalog() {
      return catalog;
    },
    async reopen() {
      await catalog.close();
      catalog = await open(path);
      return catalog;
    },
    async [Symbol.asyncDispose]() {
      await catalog.close();
      folder[Symbol.dispose]();
    },
  };
}
