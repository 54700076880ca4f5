import SchemaBuilder from "@pothos/core";
import { execute, parse } from "graphql";
import { describe, expect, it } from "vitest";
import type { Principal } from "../domain/principal.ts";
import { RIGHTS, type RightName } from "../domain/rights.ts";
import type { GraphQLContext } from "./execution/context.ts";
import { schema } from "./index.ts";
import "./rights-plugin.ts";

const READER: Principal = { actor: "ann", role: "READER", tenants: ["mine"] };

function newBuilder() {
  const builder = new SchemaBuilder<{ Context: GraphQLContext }>({ plugins: ["rights"] });
  builder.queryType({});
  return builder;
}

/** The rights of query fields that return more than a READER may see, or that grant more. */
const OTHER_RIGHTS: Readonly<Record<string, string>> = {
  apiKeys: "manageKeys",
  quarantine: "manageQuarantine",
  signedUploadUrl: "write",
};

describe("a root field", () => {
  it("without `needs` fails to compile and to build", () => {
    const builder = newBuilder();
    builder.queryField("bare", (t) =>
      // @ts-expect-error: it has no `needs`
      t.string({ resolve: () => "" }),
    );
    expect(() => builder.toSchema()).toThrow("Query.bare does not say who may use it");
  });

  it("is FORBIDDEN without its right, before its arguments are read", async () => {
    const builder = newBuilder();
    const seen: string[] = [];
    builder.queryField("secret", (t) =>
      t.string({
        needs: "purge",
        args: { of: t.arg.string({ required: true }) },
        resolve: (_root, { of }) => {
          seen.push(of);
          return of;
        },
      }),
    );
    const ask = (principal: Principal) =>
      execute({
        schema: builder.toSchema(),
        document: parse('{ secret(of: "x") }'),
        contextValue: { principal },
      });
    const refused = await ask(READER);
    expect(refused.errors?.[0]?.originalError).toMatchObject({ code: "FORBIDDEN" });
    expect(seen).toEqual([]);
    expect((await ask({ ...READER, role: "OPERATOR" })).data).toEqual({ secret: "x" });
  });

  const changes = Object.values(schema.getMutationType()?.getFields() ?? {});
  it.each(changes)("names its role in its description: $name", ({ description, extensions }) => {
    const { role } = RIGHTS[extensions.needs as RightName];
    expect(description).toContain(`Needs ${role}`);
  });

  it("of Query or Subscription needs only READER, except the listed fields", () => {
    for (const type of [schema.getQueryType(), schema.getSubscriptionType()]) {
      for (const { name, extensions } of Object.values(type?.getFields() ?? {}))
        expect([name, extensions.needs]).toEqual([name, OTHER_RIGHTS[name] ?? "read"]);
    }
  });
});
