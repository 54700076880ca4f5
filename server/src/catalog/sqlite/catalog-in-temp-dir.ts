import type { Catalog } from "../catalog.ts";
import type { OpenedCatalog } from "../contract/opened-catalog.ts";
import { tempDir } from "./temp-dir.ts";

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
