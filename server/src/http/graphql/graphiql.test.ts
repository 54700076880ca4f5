import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { schema } from "@tierkeep/schema/graphql/index";
import { coerceInputValue, isInputType, parse, typeFromAST, validate } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HandlerUnderTest, handlerUnderTest } from "../../../testing/http/handler-under-test.ts";
import { GRAPHIQL_TABS } from "./graphiql-tabs.ts";

let world: HandlerUnderTest;
beforeAll(async () => {
  world = await handlerUnderTest();
});
afterAll(() => world[Symbol.asyncDispose]());

const open = (headers: Record<string, string> = {}) =>
  world.request("/graphql", { headers: { accept: "text/html,*/*;q=0.8", ...headers } });

describe("GraphiQL", () => {
  it("is one page that needs no other host, and its policy allows none", async () => {
    const response = await open();
    const html = await response.text();
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(html).not.toMatch(/<(?:script|link|img|iframe)[^>]+(?:src|href)="?(?:https?:)?\/\//);
    const policy = String(response.headers.get("content-security-policy"));
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).not.toMatch(/https?:/);
    expect(policy).toMatch(/script-src ('sha256-[^']+' )+blob:;/);
  });

  it("is compressed as the browser prefers, the same page each time", async () => {
    const plain = await (await open()).text();
    const br = await open({ "accept-encoding": "gzip, deflate, br, zstd" });
    expect(br.headers.get("content-encoding")).toBe("br");
    expect(brotliDecompressSync(await br.bytes()).toString()).toBe(plain);
    const gzip = await open({ "accept-encoding": "gzip, br;q=0" });
    expect(gzip.headers.get("content-encoding")).toBe("gzip");
    expect(gunzipSync(await gzip.bytes()).toString()).toBe(plain);
  });

  it("returns 304 to a client that has it", async () => {
    const etag = String((await open()).headers.get("etag"));
    const again = await open({ "if-none-match": etag });
    expect([again.status, await again.text()]).toEqual([304, ""]);
  });

  it("opens with tabs that match the schema, and with their variables", () => {
    const operations: string[] = [];
    for (const { query, variables } of GRAPHIQL_TABS) {
      const document = parse(query);
      expect(validate(schema, document)).toEqual([]);
      const given = JSON.parse(variables);
      for (const definition of document.definitions) {
        if (definition.kind !== "OperationDefinition") continue;
        operations.push(`${definition.operation} ${definition.name?.value}`);
        const known = definition.variableDefinitions ?? [];
        expect(
          Object.keys(given).filter((name) => !known.some(({ variable }) => variable.name.value === name)),
        ).toEqual([]);
        for (const { variable, type } of known) {
          const inputType = typeFromAST(schema, type);
          if (!isInputType(inputType)) throw new Error(`not an input type: ${variable.name.value}`);
          if (given[variable.name.value] !== undefined)
            coerceInputValue(given[variable.name.value], inputType);
        }
      }
    }
    expect(operations).toEqual([
      "mutation WriteArtifact",
      "subscription WatchEvents",
      "mutation PromoteToCold",
      "mutation RestoreToHot",
      "mutation RunLifecycle",
      "query Browse",
    ]);
  });

  it("is sent to browsers that navigate to it, not to programs", async () => {
    const program = await world.request("/graphql?query={viewer{actor}}", { headers: { accept: "*/*" } });
    expect(await program.json()).toEqual({ data: { viewer: { actor: "local" } } });
  });
});
