import type { PluginFunction } from "@graphql-codegen/plugin-helpers";
import type { GraphQLSchema, SelectionSetNode } from "graphql";
import { isListType, isNonNullType, isObjectType, Kind } from "graphql";
import { comment } from "./comment.ts";
import { header } from "./header.ts";
import { type Operation, operationsOf } from "./operations.ts";

/**
 * A typed method per query and mutation. Arguments are flat: a mutation's method takes its input itself. Results are
 * flat too: a query answers with the field that it asks for, however deep, and a mutation with its payload, never null.
 */
export const plugin: PluginFunction = (schema, documents) => {
  const operations = operationsOf(documents).filter(({ node }) => node.operation !== "subscription");
  const methods = operations.map((operation) => method(operation, schema));
  const types = [...new Set(methods.flatMap((each) => each.types))].sort();
  const documentNames = operations.map(({ name }) => `  ${name}Document,\n`).join("");
  return {
    prepend: [
      header,
      'import { payloadOf, type RequestOptions, type Send } from "../operation.ts";',
      `import {\n${documentNames}} from "./documents.ts";`,
      `import type {\n${types.map((name) => `  ${name},\n`).join("")}} from "./types.ts";\n`,
    ],
    content: [
      `export interface TierkeepMethods {\n${methods.map((each) => each.signature).join("")}}\n`,
      "/** The methods, each over one request that `send` makes. */",
      `export function methodsOver(send: Send): TierkeepMethods {\n  return {\n${methods.map((each) => each.body).join("")}  };\n}\n`,
    ].join("\n"),
  };
};

function method(operation: Operation, schema: GraphQLSchema) {
  const { node, name, resultType, variablesType } = operation;
  const methodName = `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
  const fields = answerPath(operation, schema);
  const description = fields.at(-1)?.description;

  const variables = node.variableDefinitions ?? [];
  const only = variables.length === 1 ? variables[0] : undefined;
  const flat = only?.variable.name.value === "input" && only.type.kind === Kind.NON_NULL_TYPE;
  const inputType = flat && only.type.type.kind === Kind.NAMED_TYPE ? only.type.type.name.value : undefined;
  const optional = variables.every((each) => each.type.kind !== Kind.NON_NULL_TYPE || each.defaultValue);
  const argumentType = inputType ?? variablesType;
  const mark = optional ? "?" : "";
  const parameters = `${variables.length > 0 ? `args${mark}: ${argumentType}, ` : ""}options?: RequestOptions`;
  const sent =
    variables.length === 0 ? "{}" : inputType ? "{ input: args }" : optional ? "args ?? {}" : "args";

  const isMutation = node.operation === "mutation";
  let type = resultType;
  let nullable = false;
  fields.forEach((field, index) => {
    type = `${index > 0 && fields[index - 1]?.nullable ? `NonNullable<${type}>` : type}["${field.name}"]`;
    nullable ||= index < fields.length - 1 && field.nullable;
  });
  const path = fields.map((field) => field.name);
  const answer = isMutation
    ? `payloadOf(data.${path.join(".")})`
    : `data.${path.join("?.")}${nullable ? " ?? null" : ""}`;
  const result = isMutation ? `NonNullable<${type}>` : `${type}${nullable ? " | null" : ""}`;
  return {
    types: [...(variables.length > 0 ? [argumentType] : []), resultType],
    signature: `${comment(description, "  ")}  ${methodName}(${parameters}): Promise<${result}>;\n`,
    body:
      `    async ${methodName}(${variables.length > 0 ? "args, " : ""}options) {\n` +
      `      const data = await send(${name}Document, ${sent}, options);\n      return ${answer};\n    },\n`,
  };
}

/** The fields from the root to what a query is after: as long as each selects one single object or scalar. */
function answerPath({ node }: Operation, schema: GraphQLSchema) {
  const path: { name: string; nullable: boolean; description: string | null | undefined }[] = [];
  let selections: SelectionSetNode | undefined = node.selectionSet;
  let parent = schema.getRootType(node.operation);
  while (selections && parent) {
    const [only, ...others]: SelectionSetNode["selections"] = selections.selections;
    if (others.length > 0 || only?.kind !== Kind.FIELD) break;
    const field = parent.getFields()[only.name.value];
    if (!field) break;
    const nullable = !isNonNullType(field.type);
    path.push({ name: only.name.value, nullable, description: field.description });
    const type = isNonNullType(field.type) ? field.type.ofType : field.type;
    // A payload may gain fields, so a mutation always answers with all of it.
    if (node.operation === "mutation" || isListType(type) || !isObjectType(type)) break;
    selections = only.selectionSet;
    parent = type;
  }
  return path;
}
