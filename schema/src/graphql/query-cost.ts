import { complexityFromQuery } from "@pothos/plugin-complexity";
import {
  type DocumentNode,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  type TypeNode,
} from "graphql";
import { schema } from "./index.ts";

/** Costs that are kept of one document: clients page by a few sizes. */
const MAX_KEPT = 100;

const kept = new WeakMap<DocumentNode, Map<string, number>>();

/**
 * What a valid document's operation costs (see field-cost.ts), for these variables.
 *
 * Worked out once for a document and the sizes that its variables ask for: the same query for another key costs nothing
 * to judge.
 *
 * @returns null where there is no such operation, or its variables do not fit: executing it says so
 */
export function queryCost(
  document: DocumentNode,
  operationName: string | null | undefined,
  variables: Readonly<Record<string, unknown>>,
): number | null {
  const operation = getOperationAST(document, operationName);
  if (operation == null) return null;
  const costs = kept.get(document) ?? new Map<string, number>();
  kept.set(document, costs);
  const key = `${operation.name?.value ?? ""} ${sizesIn(operation, variables)}`;
  const known = costs.get(key);
  if (known !== undefined) return known;
  if (costs.size >= MAX_KEPT) costs.clear();
  const cost = calculate(document, operation, variables);
  // Of variables that do not fit, others may have the same sizes and fit.
  if (cost !== null) costs.set(key, cost);
  return cost;
}

function calculate(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): number | null {
  const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
  try {
    // The plugin judges a document's first operation, whichever is to be executed.
    const alone: DocumentNode = { kind: Kind.DOCUMENT, definitions: [operation, ...fragments] };
    return complexityFromQuery(alone, { schema, variables: { ...variables } }).complexity;
  } catch {
    return null;
  }
}

/** The numbers, and the lengths of the lists, that an operation's variables give: all that its cost can depend on. */
function sizesIn(
  { variableDefinitions = [] }: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): string {
  let sizes = "";
  for (const { type, variable } of variableDefinitions) {
    if (!mayBeSize(type)) continue;
    const value = variables[variable.name.value];
    sizes += ` ${Array.isArray(value) ? `[${value.length}]` : typeof value === "number" ? value : value === null}`;
  }
  return sizes;
}

function mayBeSize(type: TypeNode): boolean {
  if (type.kind === Kind.NON_NULL_TYPE) return mayBeSize(type.type);
  return type.kind === Kind.LIST_TYPE || type.name.value === "Int";
}
