import {
  type ExecutionArgs,
  GraphQLError,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  getOperationAST,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isSpecifiedScalarType,
  typeFromAST,
} from "graphql";

/**
 * Maximum number of entries of a list in variables. Every argument accepts fewer, and states its own limit in
 * its refusal.
 */
export const MAX_LIST_ENTRIES = 1000;

/** Maximum number of unknown fields of an input object that coercion reports. */
export const MAX_UNKNOWN_FIELDS = 50;

/**
 * Maximum length of text where an enum value, a number or a boolean is expected. Coercion compares and prints
 * that text.
 */
const MAX_WORD_LENGTH = 200;

type Path = readonly (string | number)[];

/**
 * Returns an error for the first variable that would be expensive to reject in coercion, because graphql-js
 * prints a complete invalid value into its message; null if there is none. Checks no more values than a valid
 * request has.
 */
export function variableProblem({
  schema,
  document,
  operationName,
  variableValues,
}: ExecutionArgs): GraphQLError | null {
  const operation = getOperationAST(document, operationName);
  for (const { variable, type } of operation?.variableDefinitions ?? []) {
    const name = variable.name.value;
    const inputType = typeFromAST(schema, type) as GraphQLInputType | undefined;
    const problem = problemIn(inputType, variableValues?.[name], [`$${name}`]);
    if (problem !== null) return new GraphQLError(problem, { extensions: { code: "BAD_USER_INPUT" } });
  }
  return null;
}

function problemIn(type: GraphQLInputType | undefined, value: unknown, path: Path): string | null {
  if (type === undefined || value === undefined || value === null) return null;
  if (isNonNullType(type)) return problemIn(type.ofType, value, path);
  if (isListType(type)) {
    if (!Array.isArray(value)) return problemIn(type.ofType, value, path);
    return value.length > MAX_LIST_ENTRIES
      ? `${shown(path)} has ${value.length} entries. At most ${MAX_LIST_ENTRIES} are allowed.`
      : first(value.entries(), ([index, item]) => problemIn(type.ofType, item, [...path, index]));
  }
  if (isInputObjectType(type)) return problemInObject(type, value, path);
  // Other scalars are defined in scalars.ts; they print only the start of a rejected value.
  if (!isEnumType(type) && !isSpecifiedScalarType(type)) return null;
  if (typeof value === "object") return `${shown(path)} is ${kindOf(value)}, but a ${type.name} is expected.`;
  const isWord = isEnumType(type) || (type.name !== "String" && type.name !== "ID");
  return isWord && typeof value === "string" && value.length > MAX_WORD_LENGTH
    ? `${shown(path)} is a text of ${value.length} characters, but a ${type.name} is expected.`
    : null;
}

function problemInObject(type: GraphQLInputObjectType, value: unknown, path: Path): string | null {
  if (typeof value !== "object" || Array.isArray(value)) {
    return `${shown(path)} is ${kindOf(value)}, but an object of type ${type.name} is expected.`;
  }
  const fields = Object.values(type.getFields());
  const given = value as Readonly<Record<string, unknown>>;
  const count = Object.keys(given).length;
  return count > fields.length + MAX_UNKNOWN_FIELDS
    ? `${shown(path)} has ${count} fields, but ${type.name} has ${fields.length}.`
    : first(fields, (field) => problemIn(field.type, given[field.name], [...path, field.name]));
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function shown([variable, ...path]: Path): string {
  return path.length === 0 ? `Variable "${variable}"` : `Variable "${variable}" at "${path.join(".")}"`;
}

function first<T>(items: Iterable<T>, of: (item: T) => string | null): string | null {
  for (const item of items) {
    const found = of(item);
    if (found !== null) return found;
  }
  return null;
}
