import {
  type GraphQLSchema,
  type IntrospectionInputValue,
  type IntrospectionType,
  type IntrospectionTypeRef,
  introspectionFromSchema,
} from "graphql";

/**
 * The names and types that clients of an API rely on, without descriptions. Types and default values are
 * written as in SDL.
 */
export interface SchemaFacts {
  readonly [type: string]: TypeFacts;
}

export interface TypeFacts {
  readonly kind: string;
  readonly interfaces?: readonly string[];
  readonly fields?: { readonly [field: string]: FieldFacts };
  readonly oneOf?: boolean;
  readonly values?: readonly string[];
}

export interface FieldFacts {
  readonly type: string;
  readonly default?: string;
  readonly args?: { readonly [argument: string]: FieldFacts };
}

/** Returns the facts of every type except GraphQL's built-in types. */
export function schemaFacts(schema: GraphQLSchema): SchemaFacts {
  const { types } = introspectionFromSchema(schema, { oneOf: true, descriptions: false }).__schema;
  const own = types.filter(({ name }) => !name.startsWith("__") && !BUILT_IN.has(name));
  return byName(own, typeFacts);
}

const BUILT_IN: ReadonlySet<string> = new Set(["Boolean", "Float", "ID", "Int", "String"]);

function typeFacts(type: IntrospectionType): TypeFacts {
  switch (type.kind) {
    case "OBJECT":
    case "INTERFACE":
      return {
        kind: type.kind,
        interfaces: type.interfaces.map(({ name }) => name).sort(),
        fields: byName(type.fields, (field) => ({
          type: typeString(field.type),
          ...(field.args.length > 0 ? { args: byName(field.args, inputFacts) } : {}),
        })),
      };
    case "INPUT_OBJECT":
      return { kind: type.kind, oneOf: type.isOneOf === true, fields: byName(type.inputFields, inputFacts) };
    case "ENUM":
      return { kind: type.kind, values: type.enumValues.map(({ name }) => name).sort() };
    default:
      return { kind: type.kind };
  }
}

function inputFacts({ type, defaultValue }: IntrospectionInputValue): FieldFacts {
  return { type: typeString(type), ...(defaultValue == null ? {} : { default: defaultValue }) };
}

function typeString(type: IntrospectionTypeRef): string {
  if (type.kind === "NON_NULL") return `${typeString(type.ofType)}!`;
  return type.kind === "LIST" ? `[${typeString(type.ofType)}]` : type.name;
}

function byName<T extends { readonly name: string }, Facts>(
  items: readonly T[],
  facts: (item: T) => Facts,
): Record<string, Facts> {
  const sorted = [...items].sort((a, b) => (a.name < b.name ? -1 : 1));
  return Object.fromEntries(sorted.map((item) => [item.name, facts(item)]));
}
