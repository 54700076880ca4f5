import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from "@pothos/core";
import { type GraphQLFieldResolver, type GraphQLResolveInfo, getNamedType } from "graphql";
import type { GraphQLContext } from "../execution/context.ts";
import { jsonBytes } from "./answer-budget.ts";
import { JsonText } from "./json-text.ts";

const NAME = "answerSize";

/** Bytes of a field in addition to its name and value: quotes, colon, comma, and the braces of an object. */
const FIELD_BYTES = 6;

/** Bytes of a number, a boolean or a timestamp: about the longest. */
const SCALAR_BYTES = 26;

/** Bytes of an error that replaces a value, in addition to its message. */
const ERROR_BYTES = 400;

type Resolver<Types extends SchemaTypes> = GraphQLFieldResolver<unknown, Types["Context"], object>;

/**
 * Counts the bytes of each field as it resolves (AnswerBudget), and reads the pages of lists one at a time,
 * each in a separate turn of the event loop.
 */
export class AnswerSizePlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(resolver: Resolver<Types>, field: PothosOutputFieldConfig<Types>): Resolver<Types> {
    // Its resolver starts a new response.
    if (field.parentType === "Subscription") return resolver;
    const readInTurn = inTurn(resolver);
    let read: Resolver<Types> | undefined;
    return (source, args, context, info) => {
      const { answer } = (context as GraphQLContext).reads;
      answer.add(String(info.path.key).length + FIELD_BYTES);
      read ??= isPage(info) ? readInTurn : resolver;
      try {
        const value = read(source, args, context, info);
        if (value instanceof Promise) {
          return value.then(
            (resolved) => counted(resolved, answer),
            (error: unknown) => failed(error, answer),
          );
        }
        return counted(value, answer);
      } catch (error) {
        return failed(error, answer);
      }
    };
  }
}

type Answer = GraphQLContext["reads"]["answer"];

/** Counts a leaf. An object is counted by its fields. */
function counted(value: unknown, answer: Answer): unknown {
  if (typeof value === "string") answer.add(jsonBytes(value, answer.left));
  else if (value instanceof Uint8Array) answer.add(Math.ceil(value.byteLength / 3) * 4 + 2);
  else if (value instanceof JsonText) answer.add(value.bytes);
  else if (typeof value !== "object" || value === null) answer.add(SCALAR_BYTES);
  else if (Array.isArray(value)) {
    for (const item of value) if (typeof item === "string") answer.add(jsonBytes(item) + 1);
  }
  return value;
}

function failed(error: unknown, answer: Answer): never {
  if (error !== answer.refused) answer.add(ERROR_BYTES + (error instanceof Error ? error.message.length : 0));
  throw error;
}

function inTurn<Types extends SchemaTypes>(resolver: Resolver<Types>): Resolver<Types> {
  return (source, args, context, info) =>
    (context as GraphQLContext).reads.inTurn(async () => resolver(source, args, context, info));
}

/** Returns true for a page of a list, or for its count: both may scan many rows. */
function isPage({ fieldName, parentType, returnType }: GraphQLResolveInfo): boolean {
  if (parentType.name.endsWith("Connection")) return fieldName === "totalCount";
  return getNamedType(returnType).name.endsWith("Connection");
}

SchemaBuilder.registerPlugin(NAME, AnswerSizePlugin);

declare global {
  export namespace PothosSchemaTypes {
    interface Plugins<Types extends SchemaTypes> {
      [NAME]: AnswerSizePlugin<Types>;
    }
  }
}
