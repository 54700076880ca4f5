import type { PluginFunction } from "@graphql-codegen/plugin-helpers";
import { comment } from "./comment.ts";
import { header } from "./header.ts";
import { openEnum } from "./open-enums.ts";

/** Generates two types for each enum: a closed one for inputs, and an open one for results. */
export const plugin: PluginFunction = (schema) => {
  const enums = Object.values(schema.getTypeMap())
    .filter((type) => "getValues" in type && !type.name.startsWith("__"))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const content = enums
    .map((type) => {
      const values = "getValues" in type ? type.getValues() : [];
      const members = values.map(
        (value) => `\n${comment(value.description, "  ")}  | ${JSON.stringify(value.name)}`,
      );
      return [
        `${comment(type.description)}export type ${type.name} =${members.join("")};`,
        `/** ${type.name} in a result. Later versions may add values. */`,
        `export type ${openEnum(type.name)} = ${type.name} | (string & {});\n`,
      ].join("\n");
    })
    .join("\n");
  return { prepend: [`${header}\n`], content };
};
