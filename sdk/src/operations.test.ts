import { readFileSync } from "node:fs";
import type { FieldNode, FragmentDefinitionNode } from "graphql";
import { buildSchema, Kind, OperationTypeNode, parse, visit } from "graphql";
import { describe, expect, it } from "vitest";
import * as documents from "./generated/documents.ts";

const schemaText = readFileSync(new URL("../../schema/schema.graphql", import.meta.url), "utf8");
const schema = buildSchema(schemaText);
const all = Object.entries(documents).map(([name, document]) => ({
  name: name.replace(/Document$/, ""),
  text: document.toString(),
  kind: document.toString().split(" ", 1)[0],
}));

describe("the SDK's operations", () => {
  it.each([OperationTypeNode.QUERY, OperationTypeNode.MUTATION, OperationTypeNode.SUBSCRIPTION])(
    "include every %s of the schema",
    (kind) => {
      const asked = new Set<string>();
      for (const { text } of all.filter((document) => document.kind === kind)) {
        visit(parse(text), {
          OperationDefinition: ({ selectionSet }) => {
            for (const selection of selectionSet.selections) asked.add((selection as FieldNode).name.value);
          },
        });
      }
      expect([...asked].sort()).toEqual(Object.keys(schema.getRootType(kind)?.getFields() ?? {}).sort());
    },
  );

  it("select content only in the operation ArtifactContent", () => {
    const asking = all.filter(({ text }) => /\b(?:text|base64)\b/.test(text)).map(({ name }) => name);
    expect(asking).toEqual(["ArtifactContent"]);
    const fragments = parse(all.map(({ text }) => text).join("\n")).definitions.filter(
      (definition): definition is FragmentDefinitionNode => definition.kind === Kind.FRAGMENT_DEFINITION,
    );
    expect(fragments.length).toBeGreaterThan(0);
    for (const fragment of fragments) {
      visit(fragment, { Field: ({ name }) => void expect(["text", "base64"]).not.toContain(name.value) });
    }
  });

  it("select every scalar of an artifact except its content", () => {
    const type = schema.getType("Artifact");
    const scalars =
      type && "getFields" in type
        ? Object.values(type.getFields()).filter((field) => !/tenant$|workflow$|text|base64/.test(field.name))
        : [];
    const text = documents.ArtifactDocument.toString();
    for (const { name } of scalars) expect(text).toMatch(new RegExp(`\\b${name}\\b`));
    expect(scalars.length).toBeGreaterThan(10);
  });
});
