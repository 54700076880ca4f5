import { printSchema } from "graphql";
import { schema } from "./index.ts";

/** Returns the schema as SDL, sorted, with descriptions: the content of schema.graphql. */
export function printedSchema(): string {
  return `${printSchema(schema)}\n`;
}
