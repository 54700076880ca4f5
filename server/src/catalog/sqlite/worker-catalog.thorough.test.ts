import { catalogContract } from "../../../testing/catalog/catalog.contract.ts";
import { catalogInTempDir } from "../../../testing/sqlite/catalog-in-temp-dir.ts";
import { openCatalog } from "../open-catalog.ts";

const randomRuns = 8;

catalogContract(
  "SQLite on worker threads",
  () => catalogInTempDir((path) => openCatalog({ path, durability: "fsync" })),
  randomRuns,
);
