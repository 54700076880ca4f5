import type { PluginFunction } from "@graphql-codegen/plugin-helpers";
import { comment } from "./comment.ts";
import { header } from "./header.ts";
import { openEnum } from "./open-enums.ts";

/** Two types an enum: closed for what callers send, open for what servers answer. */
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
        `/** ${type.name} as a server answers it: a later version may add values. */`,
        `export type ${openEnum(type.name)} = ${type.name} | (string & {});\n`,
      ].join("\n");
    })
    .join("\n");
  return { prepend: [`${header}\n`], content };
};
