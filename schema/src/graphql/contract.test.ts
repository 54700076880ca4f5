import { readFileSync } from "node:fs";
import { buildSchema } from "graphql";
import { describe, expect, it } from "vitest";
import { contractBreaches } from "./contract-breaches.ts";
import { schema } from "./index.ts";
import { printedSchema } from "./print-schema.ts";
import { type SchemaFacts, schemaFacts } from "./schema-facts.ts";

const contract = JSON.parse(
  readFileSync(new URL("../../contract.json", import.meta.url), "utf8"),
) as SchemaFacts;

describe("the contract", () => {
  it("is kept by the schema, name by name", () => {
    expect(contractBreaches(contract, schemaFacts(schema))).toEqual([]);
  });

  it("is kept by the printed schema", () => {
    expect(contractBreaches(contract, schemaFacts(buildSchema(printedSchema())))).toEqual([]);
  });

  const changes: readonly (readonly [what: string, from: RegExp, to: string, breach: string])[] = [
    [
      "a default of an input field",
      /(toTier: Tier!) = HOT/,
      "$1 = WARM",
      "RestoreArtifactInput.toTier: default is WARM, not HOT",
    ],
    [
      "a default that is removed",
      /(input WriteArtifactInput \{.*?ifAbsent: Boolean!) = false/s,
      "$1",
      "WriteArtifactInput.ifAbsent: default is undefined, not false",
    ],
    [
      "a default of an argument",
      /(direction: OrderDirection!) = DESC/,
      "$1 = ASC",
      "Query.lifecycleEvents.direction: default is ASC, not DESC",
    ],
    ["a oneOf that is removed", / @oneOf/, "", "ArtifactContentInput: oneOf is false, not true"],
    [
      "an output that becomes non-null",
      /(\n {2}text: String)\n\n {2}"""The tier/,
      '$1!\n\n  """The tier',
      "Artifact.text: type is String!, not String",
    ],
    [
      "an output that becomes nullable",
      /(checksum: String)!/,
      "$1",
      "Artifact.checksum: type is String, not String!",
    ],
    [
      "an argument that becomes required",
      /(\n {4}asOf: DateTime)\n/,
      "$1!\n",
      "Artifact.ageDays.asOf: type is DateTime!, not DateTime",
    ],
    [
      "an argument that is added and required",
      /(\n {4}asOf: DateTime)\n/,
      "$1 zone: String!\n",
      "Artifact.ageDays.zone is new and required",
    ],
    [
      "an enum value that is renamed",
      /(\n {2})SAME_TIER\n/,
      "$1EQUAL_TIER\n",
      "ErrorCode: value SAME_TIER is missing",
    ],
    [
      "an interface that is removed",
      /type RestoreJob implements Job & Node/,
      "type RestoreJob implements Node",
      "RestoreJob: interface Job is missing",
    ],
    [
      "a field that is renamed",
      /(\n {2})promotedFrom: /,
      "$1promotedSince: ",
      "Artifact.promotedFrom is missing",
    ],
  ];

  it.each(changes)("notices %s", (_what, from, to, breach) => {
    const sdl = printedSchema();
    const changed = sdl.replace(from, to);
    expect(changed).not.toBe(sdl);
    expect(contractBreaches(contract, schemaFacts(buildSchema(changed)))).toContain(breach);
  });

  it("allows optional additions", () => {
    const more = `${printedSchema()}
      extend type Artifact { more(than: String! = "that"): String }
      extend enum Tier { FROZEN }
      extend input ArtifactFilter { more: String }
      type More { more: String }`;
    expect(contractBreaches(contract, schemaFacts(buildSchema(more)))).toEqual([]);
  });
});

describe("schema.graphql", () => {
  it("is current (npm run codegen writes it)", () => {
    expect(readFileSync(new URL("../../schema.graphql", import.meta.url), "utf8")).toBe(printedSchema());
  });

  it("describes every type, field, argument and enum value", () => {
    const undescribed: string[] = [];
    const check = (path: string, { description }: { readonly description?: string | null | undefined }) => {
      if (!description) undescribed.push(path);
    };
    for (const type of Object.values(schema.getTypeMap())) {
      if (type.name.startsWith("__")) continue;
      check(type.name, type);
      if ("getValues" in type)
        for (const value of type.getValues()) check(`${type.name}.${value.name}`, value);
      if (!("getFields" in type)) continue;
      for (const field of Object.values(type.getFields())) {
        check(`${type.name}.${field.name}`, field);
        if ("args" in field)
          for (const arg of field.args) check(`${type.name}.${field.name}(${arg.name}:)`, arg);
      }
    }
    expect(undescribed).toEqual([]);
  });
});
