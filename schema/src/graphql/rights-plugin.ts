import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from "@pothos/core";
import type { GraphQLFieldResolver } from "graphql";
import { type RightName, requireRight } from "../domain/rights.ts";
import type { GraphQLContext } from "./execution/context.ts";

const NAME = "rights";

/** Option of every root field: the right that the caller needs. */
interface Needs {
  /**
   * Checked before the field's arguments. The services check it again, with the tenants that the arguments
   * name.
   */
  needs: RightName;
}

type Resolver<Types extends SchemaTypes> = GraphQLFieldResolver<unknown, Types["Context"], object>;

/**
 * Checks the caller's right before a root field resolves. Building a schema fails if a root field has no
 * `needs`.
 */
export class RightsPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override onOutputFieldConfig(field: PothosOutputFieldConfig<Types>): PothosOutputFieldConfig<Types> {
    const needs = neededBy(field);
    if (needs === null) return field;
    if (needs === undefined) {
      throw new Error(
        `${field.parentType}.${field.name} does not say who may use it: give it \`needs\`, the name of a right.`,
      );
    }
    return { ...field, extensions: { ...field.extensions, needs } };
  }

  override wrapResolve(resolver: Resolver<Types>, field: PothosOutputFieldConfig<Types>): Resolver<Types> {
    return field.parentType === "Subscription" ? resolver : withRight(resolver, field);
  }

  override wrapSubscribe(
    subscriber: Resolver<Types> | undefined,
    field: PothosOutputFieldConfig<Types>,
  ): Resolver<Types> | undefined {
    return subscriber && withRight(subscriber, field);
  }
}

function withRight<Types extends SchemaTypes>(
  resolver: Resolver<Types>,
  field: PothosOutputFieldConfig<Types>,
): Resolver<Types> {
  const needs = neededBy(field);
  if (!needs) return resolver;
  return (source, args, context, info) => {
    requireRight((context as GraphQLContext).principal, needs);
    return resolver(source, args, context, info);
  };
}

/**
 * Returns the right that a field needs. Null for a field that is not a root field: it is reached only through
 * objects that the caller may see. Undefined for a root field without `needs`.
 */
function neededBy(field: {
  readonly kind: string;
  readonly pothosOptions: object;
}): RightName | null | undefined {
  if (!ROOTS.has(field.kind)) return null;
  return (field.pothosOptions as Partial<Needs>).needs;
}

const ROOTS: ReadonlySet<string> = new Set(["Query", "Mutation", "Subscription"]);

SchemaBuilder.registerPlugin(NAME, RightsPlugin);

declare global {
  export namespace PothosSchemaTypes {
    interface Plugins<Types extends SchemaTypes> {
      [NAME]: RightsPlugin<Types>;
    }
    // biome-ignore-start lint/correctness/noUnusedVariables: declarations are merged by their parameters, too
    interface QueryFieldOptions<Types, Type, Nullable, Args, ResolveReturnShape> extends Needs {}
    interface MutationFieldOptions<Types, Type, Nullable, Args, ResolveReturnShape> extends Needs {}
    interface SubscriptionFieldOptions<Types, Type, Nullable, Args, ResolveShape, ResolveReturnShape>
      extends Needs {}
    // biome-ignore-end lint/correctness/noUnusedVariables: as above
  }
}
