import { printSchema } from "graphql";
import { schema } from "./index.ts";

/** The schema in SDL, sorted, with descriptions: what schema.graphql holds. */
export function printedSchema(): string {
  return `${printSchema(schema)}\n`;
}
