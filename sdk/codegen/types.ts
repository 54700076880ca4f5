import type { PluginFunction } from "@graphql-codegen/plugin-helpers";
import {
  plugin as operations,
  type TypeScriptDocumentsPluginConfig,
} from "@graphql-codegen/typescript-operations";
import { header } from "./header.ts";

/**
 * typescript-operations with two corrections that it has no setting for. An optional input with a default
 * accepts undefined (but not null) under exactOptionalPropertyTypes. Enums are re-exported as types;
 * otherwise a runtime that only strips types would look for values.
 */
export const plugin: PluginFunction<TypeScriptDocumentsPluginConfig> = async (
  schema,
  documents,
  config,
  info,
) => {
  const output = await operations(schema, documents, config, info ?? {});
  const { prepend = [], content } = typeof output === "string" ? { content: output } : output;
  return {
    prepend: [header, ...prepend],
    content: content
      .replace(/^( {2}(?:readonly )?\w+\?: )(.+);$/gm, (line: string, key: string, type: string) =>
        type.endsWith("undefined") || type === "never" ? line : `${key}${type} | undefined;`,
      )
      .replace(/^export \{ (\w+) \};$/gm, "export type { $1 };"),
  };
};
