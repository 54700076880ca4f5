import type { FieldFacts, SchemaFacts, TypeFacts } from "./schema-facts.ts";

type Fields = NonNullable<TypeFacts["fields"]>;

/**
 * Returns one sentence for each point in which `actual` breaks `contract`. `actual` may add types, fields,
 * enum values, interfaces, and optional arguments or input fields.
 *
 * Compares the type, default and oneOf of each name. graphql-js's findBreakingChanges does not report a
 * changed default, a dropped oneOf, or an output that becomes non-null.
 */
export function contractBreaches(contract: SchemaFacts, actual: SchemaFacts): string[] {
  return Object.entries(contract).flatMap(([name, promised]) => {
    const type = actual[name];
    if (type === undefined) return [`${name} is missing`];
    return [
      ...differences(name, "kind", promised.kind, type.kind),
      ...differences(name, "oneOf", promised.oneOf, type.oneOf),
      ...missing(name, "interface", promised.interfaces, type.interfaces),
      ...missing(name, "value", promised.values, type.values),
      ...fieldBreaches(name, promised.fields ?? {}, type.fields ?? {}, promised.kind === "INPUT_OBJECT"),
    ];
  });
}

function fieldBreaches(parent: string, contract: Fields, actual: Fields, isInput: boolean): string[] {
  const kept = Object.entries(contract).flatMap(([name, promised]) => {
    const path = `${parent}.${name}`;
    const field = actual[name];
    if (field === undefined) return [`${path} is missing`];
    return [
      ...differences(path, "type", promised.type, field.type),
      ...differences(path, "default", promised.default, field.default),
      ...fieldBreaches(path, promised.args ?? {}, field.args ?? {}, true),
    ];
  });
  const added = isInput
    ? Object.entries(actual).filter(([name, field]) => !(name in contract) && isRequired(field))
    : [];
  return [...kept, ...added.map(([name]) => `${parent}.${name} is new and required`)];
}

function isRequired(field: FieldFacts): boolean {
  return field.type.endsWith("!") && field.default === undefined;
}

function differences<T>(path: string, what: string, promised: T, actual: T): string[] {
  return promised === actual ? [] : [`${path}: ${what} is ${actual}, not ${promised}`];
}

function missing(
  path: string,
  what: string,
  promised: readonly string[] = [],
  actual: readonly string[] = [],
): string[] {
  return promised
    .filter((name) => !actual.includes(name))
    .map((name) => `${path}: ${what} ${name} is missing`);
}
