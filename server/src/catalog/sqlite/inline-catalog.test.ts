import { catalogContract } from "../catalog.contract.ts";
import { openCatalog } from "../open-catalog.ts";
import { catalogInTempDir } from "./catalog-in-temp-dir.ts";

catalogContract("SQLite on the calling thread", () =>
  catalogInTempDir((path) => openCatalog({ path, durability: "fsync", thread: "inline" })),
);
