import type { PluginFunction } from "@graphql-codegen/plugin-helpers";
import { print, stripIgnoredCharacters } from "graphql";
import { header } from "./header.ts";
import { fragmentsOf, operationsOf } from "./operations.ts";

/**
 * Generates each operation as text, so that the client needs no GraphQL library, and each fragment only once,
 * to keep the bundle small.
 */
export const plugin: PluginFunction = (_schema, documents) => {
  const operations = operationsOf(documents);
  const types = operations.flatMap(({ resultType, variablesType }) => [resultType, variablesType]);
  // Without the common prefix `fragment NAME on `.
  const fragments = fragmentsOf(documents).map(
    ({ name, typeCondition, selectionSet }) =>
      `  ${name.value}: ${quoted(`${print(typeCondition)} ${print(selectionSet)}`)},\n`,
  );
  return {
    prepend: [
      header,
      'import { type TypedDocument, withFragments } from "../document.ts";',
      `import type {\n${types.map((name) => `  ${name},\n`).join("")}} from "./types.ts";\n`,
    ],
    content: [
      `const FRAGMENTS: { readonly [name: string]: string } = {\n${fragments.join("")}};\n`,
      ...operations.map(
        ({ node, name, resultType, variablesType }) =>
          `export const ${name}Document: TypedDocument<${resultType}, ${variablesType}> = /* @__PURE__ */ withFragments(\n` +
          `  ${quoted(print(node))},\n  FRAGMENTS,\n);\n`,
      ),
    ].join("\n"),
  };
};

function quoted(text: string): string {
  return JSON.stringify(stripIgnoredCharacters(text));
}
