// Writes schema.graphql from the code. Run by `codegen`; a unit test asserts that it has been.
import { writeFileSync } from "node:fs";
import { printedSchema } from "./src/graphql/print-schema.ts";

writeFileSync(new URL("./schema.graphql", import.meta.url), printedSchema());
