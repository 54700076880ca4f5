import { readFileSync } from "node:fs";
import type { CodegenConfig } from "@graphql-codegen/cli";
import { parse, print } from "graphql";
import { enumsOf, openEnum, withOpenEnums } from "./codegen/open-enums.ts";

const schemaFile = new URL("../schema/schema.graphql", import.meta.url);
const schema = parse(readFileSync(schemaFile, "utf8"));
const enums = enumsOf(schema).map((node) => node.name.value);

const config: CodegenConfig = {
  schema: print(withOpenEnums(schema)),
  documents: "operations/*.graphql",
  emitLegacyCommonJSImports: false,
  generates: {
    "src/generated/enums.ts": { plugins: ["codegen/enums.ts"] },
    "src/generated/errors.ts": { plugins: ["codegen/errors.ts"] },
    "src/generated/documents.ts": { plugins: ["codegen/documents.ts"] },
    "src/generated/methods.ts": { plugins: ["codegen/methods.ts"] },
    "src/generated/types.ts": {
      plugins: ["codegen/types.ts"],
      config: {
        skipTypename: true,
        useTypeImports: true,
        immutableTypes: true,
        arrayInputCoercion: false,
        inlineFragmentTypes: "combine",
        enumValues: Object.fromEntries(enums.map((name) => [name, `./enums.ts#${name}`])),
        strictScalars: true,
        scalars: {
          ID: "string",
          DateTime: "string",
          SafeInt: "number",
          Base64: "string",
          JSONObject: "{ readonly [key: string]: unknown }",
          ...Object.fromEntries(
            enums.map((name) => [openEnum(name), { input: "never", output: `./enums.ts#${openEnum(name)}` }]),
          ),
        },
      },
    },
  },
};
export default config;
