import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from "graphql";

/** Values of arguments and input fields by name. A name without an entry has no largest value. */
export type LargestValues = Readonly<Record<string, unknown>>;

/** Nesting depth of selections below a root field: a list, its rows, their objects, and one more level. */
const MAX_DEPTH = 6;

export interface LargestField {
  /** As `name(arguments) { selection }`, with the variables. */
  readonly text: string;
  readonly variables: Readonly<Record<string, { readonly type: string; readonly value: unknown }>>;
}

/**
 * Returns the largest request for a root field: every argument with its largest value, and all fields below
 * it except further lists.
 *
 * @throws Error for an argument without a largest value
 */
export function largestField(
  schema: GraphQLSchema,
  field: GraphQLField<unknown, unknown>,
  values: LargestValues,
): LargestField {
  const variables: Record<string, { type: string; value: unknown }> = {};
  const selection = selectionOf(schema, field.type, values, variables, MAX_DEPTH);
  return { text: `${field.name}${argumentsOf(field, values, variables)}${selection}`, variables };
}

function argumentsOf(
  field: GraphQLField<unknown, unknown>,
  values: LargestValues,
  variables: Record<string, { type: string; value: unknown }>,
): string {
  const given = field.args.flatMap((argument) => {
    const value = largestValue(argument, values);
    if (value === undefined) return [];
    const name = `${field.name}_${argument.name}`;
    variables[name] = { type: String(argument.type), value };
    return [`${argument.name}: $${name}`];
  });
  return given.length === 0 ? "" : `(${given.join(", ")})`;
}

/** Undefined: the argument is omitted, because another one excludes it. */
function largestValue({ name, type }: GraphQLArgument | GraphQLInputField, values: LargestValues): unknown {
  if (Object.hasOwn(values, name)) return values[name];
  const named = namedInput(type);
  if (isInputObjectType(named)) {
    const fields = Object.values(named.getFields()).map((field) => [field.name, largestValue(field, values)]);
    const value = Object.fromEntries(fields.filter(([, each]) => each !== undefined)) as unknown;
    return isList(type) ? Array(500).fill(value) : value;
  }
  if (isEnumType(named)) {
    const all = named.getValues().map((each) => each.name);
    return isList(type) ? all : all[0];
  }
  if (named.name === "Boolean") return false;
  throw new Error(`"${name}" has no largest value: add it to the table of this test.`);
}

function isList(type: GraphQLInputType): boolean {
  return isListType(isNonNullType(type) ? type.ofType : type);
}

function namedInput(type: GraphQLInputType) {
  return getNamedType(type);
}

function selectionOf(
  schema: GraphQLSchema,
  type: GraphQLOutputType,
  values: LargestValues,
  variables: Record<string, { type: string; value: unknown }>,
  depth: number,
): string {
  const named = getNamedType(type);
  if (isLeafType(named)) return "";
  const types = isInterfaceType(named) ? schema.getPossibleTypes(named) : isObjectType(named) ? [named] : [];
  const parts = types.map((each) => {
    const fields = Object.values(each.getFields())
      .filter((field) => isLeafType(getNamedType(field.type)) || (depth > 0 && !isAnotherList(field)))
      .map((field) => {
        const inner = selectionOf(schema, field.type, values, variables, depth - 1);
        // Different types may use one response name for values of different types.
        const alias = types.length > 1 ? `${each.name}_${field.name}: ` : "";
        return `${alias}${field.name}${argumentsOf(field, values, variables)}${inner}`;
      });
    return types.length > 1 ? `... on ${each.name} { ${fields.join(" ")} }` : fields.join(" ");
  });
  return ` { ${parts.join(" ")} }`;
}

/**
 * Returns whether a field is another connection, or leads back to its parent: pages of pages exceed the cost
 * limit.
 */
function isAnotherList(field: GraphQLField<unknown, unknown>): boolean {
  const { name } = getNamedType(field.type);
  return name.endsWith("Connection") || name === "Tenant" || name === "Workflow" || field.name === "edges";
}
