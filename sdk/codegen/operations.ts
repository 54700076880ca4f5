import type { Types } from "@graphql-codegen/plugin-helpers";
import type { FragmentDefinitionNode, OperationDefinitionNode } from "graphql";
import { Kind } from "graphql";

export interface Operation {
  readonly node: OperationDefinitionNode;
  readonly name: string;
  /** Name of its result type in the output of typescript-operations. */
  readonly resultType: string;
  readonly variablesType: string;
}

const byName = (a: { name?: { value: string } | undefined }, b: { name?: { value: string } | undefined }) =>
  (a.name?.value ?? "") < (b.name?.value ?? "") ? -1 : 1;

export function fragmentsOf(documents: readonly Types.DocumentFile[]): FragmentDefinitionNode[] {
  return documents
    .flatMap(({ document }) => document?.definitions ?? [])
    .filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION)
    .sort(byName);
}

export function operationsOf(documents: readonly Types.DocumentFile[]): Operation[] {
  return documents
    .flatMap(({ document }) => document?.definitions ?? [])
    .filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
    .sort(byName)
    .map((node) => {
      const name = node.name?.value ?? "";
      const suffix = `${node.operation.charAt(0).toUpperCase()}${node.operation.slice(1)}`;
      return {
        node,
        name,
        resultType: `${name}${suffix}`,
        variablesType: `${name}${suffix}Variables`,
      };
    });
}
