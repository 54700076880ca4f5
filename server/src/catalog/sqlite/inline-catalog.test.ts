import { catalogContract } from "../../../testing/catalog/catalog.contract.ts";
import { catalogInTempDir } from "../../../testing/sqlite/catalog-in-temp-dir.ts";
import { openCatalog } from "../open-catalog.ts";

catalogContract("SQLite on the calling thread", () =>
  catalogInTempDir((path) => openCatalog({ path, durability: "fsync", thread: "inline" })),
);
