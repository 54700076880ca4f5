import type { PluginFunction } from "@graphql-codegen/plugin-helpers";
import type { GraphQLOutputType, GraphQLSchema, SelectionSetNode } from "graphql";
import {
  getNamedType,
  getNullableType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
} from "graphql";
import { comment } from "./comment.ts";
import { header } from "./header.ts";
import { type Operation, operationsOf } from "./operations.ts";

/**
 * Generates a typed method for each query and mutation, and the tables from which the methods are built. A
 * mutation's method accepts the fields of its input directly. A query's method returns the selected field
 * itself, however deep it is, and a mutation's method returns its payload, which is never null.
 */
export const plugin: PluginFunction = (schema, documents) => {
  const operations = operationsOf(documents).filter(({ node }) => node.operation !== "subscription");
  const methods = operations.map((operation) => method(operation, schema));
  const types = [...new Set(methods.flatMap((each) => each.types))].sort();
  const documentNames = operations.map(({ name }) => `  ${name}Document,\n`).join("");
  const lists = KINDS.map((kind) => {
    const ofKind = methods.filter((each) => each.kind === kind);
    return `  ${kind}: [\n${ofKind.map(({ document }) => `    ${document},\n`).join("")}  ],\n`;
  });
  const paths = methods.filter(({ name, path }) => path !== name);
  return {
    prepend: [
      header,
      'import type { MethodKind, RequestOptions } from "../document.ts";',
      'import type { WithJobs } from "../jobs.ts";',
      'import type { List } from "../list.ts";',
      `import {\n${documentNames}} from "./documents.ts";`,
      `import type {\n${types.map((name) => `  ${name},\n`).join("")}} from "./types.ts";\n`,
    ],
    content: [
      `export interface TierkeepMethods {\n${methods.map((each) => each.signature).join("")}}\n`,
      `export const METHODS: { readonly [Kind in MethodKind]: readonly { toString(): string }[] } = {\n${lists.join("")}};\n`,
      "/** The path of fields to a method's result, for methods whose result is not the root field of the same name. */",
      `export const PATHS: { readonly [method: string]: string } = {\n${paths.map(({ name, path }) => `  ${name}: "${path}",\n`).join("")}};\n`,
    ].join("\n"),
  };
};

const KINDS = ["ask", "bare", "list", "change"] as const;

function method(operation: Operation, schema: GraphQLSchema) {
  const { node, name, resultType, variablesType } = operation;
  const methodName = `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
  const fields = answerPath(operation, schema);
  const answer = fields.at(-1);

  const variables = node.variableDefinitions ?? [];
  const only = variables.length === 1 ? variables[0] : undefined;
  const flat = only?.variable.name.value === "input" && only.type.kind === Kind.NON_NULL_TYPE;
  const inputType = flat && only.type.type.kind === Kind.NAMED_TYPE ? only.type.type.name.value : undefined;
  const optional = variables.every((each) => each.type.kind !== Kind.NON_NULL_TYPE || each.defaultValue);
  const argumentType = inputType ?? variablesType;
  const parameters = `${variables.length > 0 ? `args${optional ? "?" : ""}: ${argumentType}, ` : ""}options?: RequestOptions`;

  const isList = answer !== undefined && isConnection(answer.type);
  const input = inputType === undefined ? undefined : schema.getType(inputType);
  if (isInputObjectType(input) && !("idempotencyKey" in input.getFields())) {
    throw new Error(`${inputType} has no idempotencyKey: without one the SDK may not repeat ${methodName}.`);
  }
  const kind = inputType ? "change" : isList ? "list" : variables.length === 0 ? "bare" : "ask";
  const path = fields.map((field) => field.name).join(".");

  let type = resultType;
  fields.forEach((field, index) => {
    const parent = fields[index - 1];
    type = `${parent && !isNonNullType(parent.type) ? `NonNullable<${type}>` : type}["${field.name}"]`;
  });
  if (node.operation === "mutation") type = `NonNullable<${type}>`;
  if (answer !== undefined && holdsJobs(answer.type, schema)) type = `WithJobs<${type}>`;
  if (fields.slice(0, -1).some((field) => !isNonNullType(field.type))) type = `${type} | null`;
  return {
    types: [...(variables.length > 0 ? [argumentType] : []), resultType],
    signature: `${comment(answer?.description, "  ")}  ${methodName}(${parameters}): ${isList ? "List" : "Promise"}<${type}>;\n`,
    name: methodName,
    document: `${name}Document`,
    kind,
    path,
  };
}

/**
 * Returns the path of fields from the root to a query's result: as long as each field selects a single object
 * or scalar.
 */
function answerPath({ node }: Operation, schema: GraphQLSchema) {
  const path: { name: string; type: GraphQLOutputType; description: string | null | undefined }[] = [];
  let selections: SelectionSetNode | undefined = node.selectionSet;
  let parent = schema.getRootType(node.operation);
  while (selections && parent) {
    const [only, ...others]: SelectionSetNode["selections"] = selections.selections;
    if (others.length > 0 || only?.kind !== Kind.FIELD) break;
    const field = parent.getFields()[only.name.value];
    if (!field) break;
    path.push({ name: only.name.value, type: field.type, description: field.description });
    const type = isNonNullType(field.type) ? field.type.ofType : field.type;
    // Payloads may gain fields, so a mutation's method always returns the complete payload.
    if (node.operation === "mutation" || isListType(type) || !isObjectType(type)) break;
    selections = only.selectionSet;
    parent = type;
  }
  return path;
}

function isConnection(type: GraphQLOutputType): boolean {
  return /Connection$/.test(getNamedType(type).name);
}

/** Returns true for a type that is or may be a job, or that has a field `job` or `nodes` of such a type. */
function holdsJobs(type: GraphQLOutputType, schema: GraphQLSchema): boolean {
  if (isListType(getNullableType(type))) return false;
  const named = getNamedType(type);
  const job = schema.getType("Job");
  if (!isInterfaceType(job)) throw new Error("The schema has no interface Job.");
  const isJob = (name: string) =>
    name === job.name ||
    name === "Node" ||
    schema.getPossibleTypes(job).some((possible) => possible.name === name);
  if (isJob(named.name)) return true;
  if (!isObjectType(named)) return false;
  const { job: one, nodes: several } = named.getFields();
  return [one, several].some((field) => field !== undefined && isJob(getNamedType(field.type).name));
}
