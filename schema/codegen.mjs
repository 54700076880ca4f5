// Writes schema.graphql from the code. `npm run codegen` runs it; a unit test checks that the file is
// current.
import { writeFileSync } from "node:fs";
import { printedSchema } from "./src/graphql/print-schema.ts";

writeFileSync(new URL("./schema.graphql", import.meta.url), printedSchema());
