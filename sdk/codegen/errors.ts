import type { PluginFunction } from "@graphql-codegen/plugin-helpers";
import { isEnumType } from "graphql";
import { comment } from "./comment.ts";
import { header } from "./header.ts";

/** Generates a class for each value of the enum ErrorCode. */
export const plugin: PluginFunction = (schema) => {
  const codes = schema.getType("ErrorCode");
  if (!isEnumType(codes)) throw new Error("The schema has no enum ErrorCode.");
  const classes = codes.getValues().map(({ name: code, description }) => {
    const name = `${code.toLowerCase().replace(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase())}Error`;
    return (
      `${comment(description)}export const ${name}: RefusalClass<"${code}"> = /* @__PURE__ */ refusalClass("${code}");\n` +
      `export type ${name} = RefusalOf<"${code}">;\n`
    );
  });
  return {
    prepend: [header, 'import { type RefusalClass, type RefusalOf, refusalClass } from "../errors.ts";\n'],
    content: classes.join("\n"),
  };
};
