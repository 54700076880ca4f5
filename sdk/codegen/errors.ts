import type { PluginFunction } from "@graphql-codegen/plugin-helpers";
import { isEnumType } from "graphql";
import { comment } from "./comment.ts";
import { header } from "./header.ts";

/** A class per value of the enum ErrorCode, and a table from one to the other. */
export const plugin: PluginFunction = (schema) => {
  const codes = schema.getType("ErrorCode");
  if (!isEnumType(codes)) throw new Error("The schema has no enum ErrorCode.");
  const classes = codes.getValues().map(({ name, description }) => ({
    code: name,
    name: `${name.toLowerCase().replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase())}Error`,
    description,
  }));
  const entries = classes.map(({ code, name }) => `\n  ${code}: ${name},`);
  return {
    prepend: [header, 'import { TierkeepError } from "../errors.ts";\n'],
    content: [
      ...classes.map(
        ({ code, name, description }) =>
          `${comment(description)}export class ${name} extends TierkeepError {\n` +
          `  override readonly name: string = "${name}";\n  declare readonly code: "${code}";\n}\n`,
      ),
      "/** The class of each refusal that this version knows; any other is a plain TierkeepError. */",
      `export const REFUSAL_CLASSES: { readonly [code: string]: typeof TierkeepError | undefined } = {${entries.join("")}\n};\n`,
    ].join("\n"),
  };
};
