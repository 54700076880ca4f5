import { readFileSync } from "node:fs";
import {
  buildSchema,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLOutputType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from "graphql";

const schema = buildSchema(readFileSync(new URL("../../schema/schema.graphql", import.meta.url), "utf8"));

/** Returns the tape's next choice, an index below `count`. Beyond the end of the tape it returns 0. */
type Choose = (count: number) => number;

/** Edge-case values. Each is sent as a value of every type. */
export const NASTY: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  501,
  2 ** 31,
  2 ** 53,
  -(2 ** 63),
  1e308,
  "",
  " ",
  "0",
  "acme",
  "w",
  "a",
  "HOT",
  "ASC",
  "\0",
  "a\u202eb",
  "\ud83d",
  "𝕏".repeat(70),
  "a".repeat(201),
  "é",
  "e\u0301",
  "..",
  "a/b",
  "a__b",
  "CON",
  ".hidden",
  "2026-01-01T00:00:00.000Z",
  "9999-99-99T99:99:99Z",
  "QXJ0aWZhY3Q6",
  "====",
  "{}",
  "%00",
  "{{7*7}}",
  "'; DROP TABLE artifacts; --",
  "__proto__",
  [],
  [[]],
  [null],
  {},
  { __typename: "Query" },
  { toString: 1 },
  { a: { b: { c: [1, { d: null }] } } },
];

/** Generates a valid or almost valid document from the schema, by the choices on a tape. */
export function documentFrom(tape: readonly number[]): string {
  const choose = chooserOf(tape);
  const operation = (["query", "mutation", "subscription"] as const)[choose(3)] ?? "query";
  const type = {
    query: schema.getQueryType(),
    mutation: schema.getMutationType(),
    subscription: schema.getSubscriptionType(),
  }[operation];
  const selections = type ? selectionsOf(type, choose, 0) : "__typename";
  const fragment = choose(4) === 1 ? `fragment F on ${type?.name} { ${selections} ...F${choose(3)} }` : "";
  return `${operation} Q($v: String, $n: Int, $ids: [ID!]) { ${selections} ${fragment === "" ? "" : "...F"} } ${fragment}`;
}

export function chooserOf(tape: readonly number[]): Choose {
  let at = 0;
  return (count) => (tape[at++] ?? 0) % count;
}

function selectionsOf(type: GraphQLOutputType, choose: Choose, depth: number): string {
  const named = getNamedType(type);
  if (!isObjectType(named) && !isInterfaceType(named)) return "__typename";
  const fields = Object.values(named.getFields());
  const chosen = Array.from({ length: 1 + choose(4) }, () => fields[choose(fields.length)]).filter(
    (field) => field !== undefined,
  );
  const own = chosen.map((field, index) => selectionOf(field, choose, depth, index));
  if (isInterfaceType(named) && choose(2) === 1) {
    const types = schema.getPossibleTypes(named);
    const one = types[choose(types.length)];
    if (one !== undefined) own.push(`... on ${one.name} { ${selectionsOf(one, choose, depth + 1)} }`);
  }
  return own.join(" ");
}

function selectionOf(
  field: GraphQLField<unknown, unknown>,
  choose: Choose,
  depth: number,
  index: number,
): string {
  const args = field.args.flatMap((arg) =>
    isNonNullType(arg.type) || choose(3) === 1 ? [`${arg.name}: ${literalOf(arg.type, choose, 0)}`] : [],
  );
  const alias = choose(3) === 1 ? `a${index}: ` : "";
  const directive = choose(8) === 1 ? " @include(if: true)" : "";
  const below = isLeafType(getNamedType(field.type))
    ? ""
    : ` { ${depth > 5 ? "__typename" : selectionsOf(field.type, choose, depth + 1)} }`;
  return `${alias}${field.name}${args.length > 0 ? `(${args.join(", ")})` : ""}${directive}${below}`;
}

function literalOf(type: GraphQLInputType, choose: Choose, depth: number): string {
  if (isNonNullType(type)) return literalOf(type.ofType as GraphQLInputType, choose, depth);
  if (choose(6) === 1) return wild(NASTY[choose(NASTY.length)]);
  if (isListType(type)) {
    const items = Array.from({ length: choose(4) }, () => literalOf(type.ofType, choose, depth + 1));
    return `[${items.join(", ")}]`;
  }
  if (isEnumType(type)) return type.getValues()[choose(type.getValues().length)]?.name ?? "null";
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).flatMap((field) =>
      (isNonNullType(field.type) && field.defaultValue === undefined) || (depth < 3 && choose(3) === 1)
        ? [
            `${field.name}: ${field.name === "waitSeconds" ? choose(2) : literalOf(field.type, choose, depth + 1)}`,
          ]
        : [],
    );
    return `{ ${fields.join(", ")} }`;
  }
  switch (type.name) {
    case "Int":
    case "SafeInt":
    case "Float":
      return String([0, 1, 10, 500, -1, 501][choose(6)]);
    case "Boolean":
      return choose(2) === 1 ? "true" : "false";
    case "DateTime":
      return '"2026-01-01T00:00:00.000Z"';
    case "Base64":
      return '"YQ=="';
    case "JSONObject":
      return "{ a: 1 }";
    default:
      return JSON.stringify(["acme", "w", "a", "b", "VGVuYW50OmFjbWU"][choose(5)]);
  }
}

/** Returns a value as a GraphQL literal or as a variable. */
function wild(value: unknown): string {
  if (value === 0) return "$v";
  if (Array.isArray(value)) return `[${value.map(wild).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    return `{ ${Object.entries(value)
      .map(([name, one]) => `${name}: ${wild(one)}`)
      .join(", ")} }`;
  }
  return JSON.stringify(value);
}

const SCRAPS = [
  "{",
  "}",
  "(",
  ")",
  "[",
  "]",
  "...",
  "@",
  "$",
  "!",
  ":",
  '"',
  '"""',
  "\\u",
  "\0",
  "#",
  "&",
  "|",
  "\ufeff",
  "\u2028",
  "on",
  "fragment",
  "null",
  "-",
  "1e",
  "__typename ".repeat(50),
];

/** Returns the text with parts removed, duplicated or replaced by fragments, by the choices on a tape. */
export function mutated(text: string, tape: readonly number[]): string {
  let result = text;
  for (let at = 0; at + 2 < tape.length; at += 3) {
    const [kind = 0, where = 0, what = 0] = tape.slice(at, at + 3);
    const from = where % (result.length + 1);
    const to = Math.min(result.length, from + (what % 20));
    const scrap = SCRAPS[what % SCRAPS.length] ?? "";
    const middle =
      [scrap, "", result.slice(from, to).repeat(2), scrap + result.slice(from, to)][kind % 4] ?? "";
    result = result.slice(0, from) + middle + result.slice(to);
  }
  return result;
}
