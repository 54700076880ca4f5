import { readFileSync } from "node:fs";
import { parse, visit } from "graphql";
import { describe, expect, it } from "vitest";
import { enumsOf, openEnum, withOpenEnums } from "./open-enums.ts";

const schemaText = readFileSync(new URL("../../schema/schema.graphql", import.meta.url), "utf8");

describe("open enums", () => {
  const opened = withOpenEnums(parse(schemaText));

  it("replace the enum of every field, also in lists, but of no argument or input", () => {
    const enums = enumsOf(opened).map((node) => node.name.value);
    const used: string[] = [];
    visit(opened, {
      FieldDefinition: (field) => {
        visit(field.type, { NamedType: ({ name }) => void used.push(name.value) });
      },
      InputValueDefinition: (input) => {
        visit(input.type, { NamedType: ({ name }) => void expect(name.value).not.toMatch(/^Open/) });
      },
    });
    expect(used.filter((name) => enums.includes(name))).toEqual([]);
    expect(used).toContain(openEnum("LifecycleStep"));
  });
});
