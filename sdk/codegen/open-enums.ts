import type { DocumentNode, EnumTypeDefinitionNode, TypeNode } from "graphql";
import { Kind, parse, visit } from "graphql";

/** Returns the name of the scalar that replaces an enum in results. */
export const openEnum = (enumName: string): string => `Open${enumName}`;

export function enumsOf(schema: DocumentNode): EnumTypeDefinitionNode[] {
  return schema.definitions.filter((definition) => definition.kind === Kind.ENUM_TYPE_DEFINITION);
}

/**
 * Returns the schema with a scalar in place of every enum that a field returns. Output enums may gain values
 * within a version, so their TypeScript types are open unions; input enums stay closed. The types plugin uses
 * one type per enum for both directions, and lets us map only scalars.
 */
export function withOpenEnums(schema: DocumentNode): DocumentNode {
  const names = enumsOf(schema).map((node) => node.name.value);
  const open = (type: TypeNode): TypeNode => {
    if (type.kind !== Kind.NAMED_TYPE) return { ...type, type: open(type.type) } as TypeNode;
    if (!names.includes(type.name.value)) return type;
    return { ...type, name: { ...type.name, value: openEnum(type.name.value) } };
  };
  const opened = visit(schema, {
    FieldDefinition: (field) => ({ ...field, type: open(field.type) }),
  });
  const scalars = parse(names.map((name) => `scalar ${openEnum(name)}`).join("\n"));
  return { ...opened, definitions: [...opened.definitions, ...scalars.definitions] };
}
