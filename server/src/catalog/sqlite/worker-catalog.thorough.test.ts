import { catalogContract } from "../catalog.contract.ts";
import { openCatalog } from "../open-catalog.ts";
import { catalogInTempDir } from "./catalog-in-temp-dir.ts";

const randomRuns = 8;

catalogContract(
  "SQLite on threads of its own",
  () => catalogInTempDir((path) => openCatalog({ path, durability: "fsync" })),
  randomRuns,
);
