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

/** What stands for an argument or for a field of an input, by its name. A name that is not here has no largest value. */
export type LargestValues = Readonly<Record<string, unknown>>;

/** How deep selections stand in each other below a root field: a list, its rows, what belongs to each, and once more. */
const MAX_DEPTH = 6;

export interface LargestField {
  /** As `name(arguments) { selection }`, over the variables. */
  readonly text: string;
  readonly variables: Readonly<Record<string, { readonly type: string; readonly value: unknown }>>;
}

/**
 * The largest request for a root field: every argument with its largest value, every field of everything below that is not
 * a list of its own.
 *
 * @throws Error for an argument that has no largest value
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

/** Undefined: it is left out, since another one excludes it. */
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
        // Different types may give one name to values of different types.
        const alias = types.length > 1 ? `${each.name}_${field.name}: ` : "";
        return `${alias}${field.name}${argumentsOf(field, values, variables)}${inner}`;
      });
    return types.length > 1 ? `... on ${each.name} { ${fields.join(" ")} }` : fields.join(" ");
  });
  return ` { ${parts.join(" ")} }`;
}

/** A connection below the root's own one, or what leads back to where it came from: pages of pages cost more than allowed. */
function isAnotherList(field: GraphQLField<unknown, unknown>): boolean {
  const { name } = getNamedType(field.type);
  return name.endsWith("Connection") || name === "Tenant" || name === "Workflow" || field.name === "edges";
}
