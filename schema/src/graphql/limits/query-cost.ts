import {
  type DocumentNode,
  type FieldNode,
  type GraphQLNamedType,
  type GraphQLObjectType,
  getArgumentValues,
  getNamedType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type TypeNode,
} from "graphql";
import type { PreparedOperation } from "../execution/operation.ts";
import { fieldCost } from "./field-cost.ts";

/** Maximum number of cached costs per document. Clients use only a few page sizes. */
const MAX_KEPT = 100;

const kept = new WeakMap<DocumentNode, Map<string, number>>();

/**
 * Returns the cost of an operation with its variables (see field-cost.ts).
 *
 * The cost is cached per document and per the sizes in its variables, so the same query for another key is a
 * look-up.
 *
 * @returns null if an argument is invalid; executing the operation then reports the error
 */
export function queryCost(prepared: PreparedOperation): number | null {
  const { document, operation } = prepared;
  const costs = kept.get(document) ?? new Map<string, number>();
  kept.set(document, costs);
  const key = `${operation.name?.value ?? ""} ${sizesIn(operation, prepared.variableValues.coerced)}`;
  const known = costs.get(key);
  if (known !== undefined) return known;
  if (costs.size >= MAX_KEPT) costs.clear();
  try {
    const cost = calculate(prepared);
    costs.set(key, cost);
    return cost;
  } catch {
    return null;
  }
}

function calculate(prepared: PreparedOperation): number {
  const { schema, operation, fragments, variableValues } = prepared;
  // A fragment may be spread many times; it is calculated once per type.
  const known = new Map<SelectionSetNode, Map<string, number>>();

  function ofSelections(selectionSet: SelectionSetNode, type: GraphQLNamedType): number {
    const costs = known.get(selectionSet) ?? new Map<string, number>();
    known.set(selectionSet, costs);
    const before = costs.get(type.name);
    if (before !== undefined) return before;
    let cost = 0;
    for (const selection of selectionSet.selections) {
      if (selection.kind === Kind.FIELD) cost += ofField(selection, type);
      else {
        const fragment =
          selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments[selection.name.value]?.definition;
        const condition = fragment?.typeCondition?.name.value;
        const of = condition === undefined ? type : schema.getType(condition);
        if (fragment !== undefined && of !== undefined) cost += ofSelections(fragment.selectionSet, of);
      }
    }
    costs.set(type.name, cost);
    return cost;
  }

  function ofField(selection: FieldNode, type: GraphQLNamedType): number {
    const definition =
      isObjectType(type) || isInterfaceType(type) ? type.getFields()[selection.name.value] : undefined;
    if (definition === undefined) return 1;
    const args = getArgumentValues(definition, selection, variableValues);
    const { field, multiplier } = fieldCost(args, definition);
    if (selection.selectionSet === undefined) return field;
    return field + multiplier * ofSelections(selection.selectionSet, getNamedType(definition.type));
  }

  return ofSelections(operation.selectionSet, schema.getRootType(operation.operation) as GraphQLObjectType);
}

/**
 * Returns the numbers and the list lengths in an operation's variables: everything that its cost depends on.
 */
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
