import { execute, type GraphQLError, parse, validate } from "graphql";
import type { Principal } from "../../domain/principal.ts";
import { UNCHARGED } from "../../services/charge.ts";
import type { Services } from "../../services/services.ts";
import { toGraphQLError } from "../errors.ts";
import { createContext } from "../execution/context.ts";
import { schema } from "../index.ts";

export const FAKE_REQUEST_ID = "request-1";

export const FAKE_PRINCIPAL: Principal = { actor: "local", role: "ADMIN", tenants: null };

export interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: the shape depends on the test's document
  readonly data: any;
  /** As a client would see them. */
  readonly errors: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions: Record<string, unknown>;
  }[];
}

/** Parses, validates and executes a document, and converts errors as a server does, without a server. */
export async function ask(
  services: Services,
  source: string,
  variableValues: Record<string, unknown> = {},
): Promise<Answer> {
  try {
    const document = parse(source);
    const invalid = validate(schema, document);
    if (invalid.length > 0) return answer(null, invalid);
    const contextValue = createContext({
      services,
      principal: FAKE_PRINCIPAL,
      requestId: FAKE_REQUEST_ID,
      charge: UNCHARGED,
    });
    const { data, errors } = await execute({ schema, document, contextValue, variableValues });
    return answer(data, errors);
  } catch (error) {
    return answer(null, [error]);
  }
}

function answer(data: unknown, errors: readonly unknown[] = []): Answer {
  const plain: unknown = JSON.parse(
    JSON.stringify({
      data: data ?? null,
      errors: errors.map((error): GraphQLError => toGraphQLError(error, FAKE_REQUEST_ID)),
    }),
  );
  return plain as Answer;
}
