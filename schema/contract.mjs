// Writes contract.json, the names that clients may rely on, from SDL: node contract.mjs SDL_FILE Run it only
// for a new version of the contract. A unit test compares the schema with contract.json.
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { buildSchema } from "graphql";
import { schemaFacts } from "./src/graphql/schema-facts.ts";

const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error("usage: node contract.mjs SDL_FILE");
  process.exit(2);
}
const facts = schemaFacts(buildSchema(readFileSync(file, "utf8")));
writeFileSync(new URL("./contract.json", import.meta.url), `${JSON.stringify(facts, null, 2)}\n`);
