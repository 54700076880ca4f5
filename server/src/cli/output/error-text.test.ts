import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, visit } from "graphql";
import { describe, expect, it } from "vitest";
import { inCommandWords } from "./error-text.ts";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const SOURCES = ["schema/src", "server/src"];
/** Files whose messages already use the words of the command line, or are for operators before a server runs. */
const OWN_WORDS = /^server\/src\/(?:cli|prove|backup|config)\//;

/** The placeholder for the argument's name in a refusal. */
const ARGUMENT = `$\{argument}`;

/** Paths of arguments as they appear in refusals. */
const ARGUMENTS = [
  "input.tenantId",
  "input.where.olderThanDays",
  "keys.2.artifactId",
  "where.tiers",
  "toTier",
];

/** Returns the names of the API's fields and arguments that are not plain words. */
function apiNames(): readonly string[] {
  const names = new Set(["viewer", "pageInfo"]);
  const add = (node: { readonly name: { readonly value: string } }) => {
    if (/[a-z][A-Z]/.test(node.name.value)) names.add(node.name.value);
  };
  visit(parse(readFileSync(join(ROOT, "schema/schema.graphql"), "utf8")), {
    FieldDefinition: add,
    InputValueDefinition: add,
  });
  return [...names];
}

function files(): readonly string[] {
  return SOURCES.flatMap((source) =>
    readdirSync(join(ROOT, source), { recursive: true, encoding: "utf8" }).map((path) => `${source}/${path}`),
  ).filter((path) => /(?<!\.test|-under-test)\.ts$/.test(path) && !OWN_WORDS.test(path));
}

/** Returns every sentence in the arguments of a `Refused(`, with sample values for its placeholders. */
function refusals(): readonly string[] {
  const found = new Set<string>();
  for (const path of files()) {
    const source = readFileSync(join(ROOT, path), "utf8");
    for (const { index } of source.matchAll(/\b(?:Refused|bad|refuse)\(/g)) {
      for (const [literal] of argumentsAt(source, index).matchAll(/"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`/g)) {
        const text = literal.slice(1, -1);
        if (!/ .*[.?]$/s.test(text)) continue;
        for (const argument of text.includes(ARGUMENT) ? ARGUMENTS : [""]) {
          found.add(text.replaceAll(ARGUMENT, argument).replace(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, "X"));
        }
      }
    }
  }
  return [...found];
}

/** Returns the text between the parentheses of the call at `index`. */
function argumentsAt(source: string, index: number): string {
  let depth = 0;
  for (let at = source.indexOf("(", index); at < source.length; at += 1) {
    if (source[at] === "(") depth += 1;
    if (source[at] === ")") depth -= 1;
    if (depth === 0) return source.slice(index, at);
  }
  return "";
}

describe("inCommandWords", () => {
  const all = refusals();
  const api = new RegExp(
    String.raw`\b(?:${apiNames().join("|")}|Authorization|Bearer|GraphQL)\b|\b(?:input|where|keys?)\.[a-z]`,
  );

  it("is tested with all refusals in the sources", () => {
    expect(all.length).toBeGreaterThan(70);
  });

  it("replaces every name of the API: add a missing one to error-text.ts", () => {
    const left = all.map(inCommandWords).filter((text) => api.test(text));
    expect(left).toEqual([]);
  });

  it.each([
    [
      "acme/weekly/a is in HOT, not in WARM. Give fromTier HOT, or leave it out.",
      "acme/weekly/a is in HOT, not in WARM. Give --from-tier HOT, or leave it out.",
    ],
    [
      'You may not purge artifacts for the tenant "acme": it is not one of your tenants. The query viewer lists them.',
      'You may not purge artifacts for the tenant "acme": it is not one of your tenants. `tierkeep whoami` lists them.',
    ],
    [
      "No valid credentials were given. Send Authorization: Bearer with a token that is valid here.",
      "No valid credentials were given. Set TIERKEEP_TOKEN to a token that is valid here.",
    ],
    [
      "input.where.olderThanDays is -1. Give a number of days, at least 0.",
      "--older-than is -1. Give a number of days, at least 0.",
    ],
    [
      "Give either tenantIds or allTenants: true. For the role ADMIN, give neither.",
      "Give either --tenant or --all-tenants. For the role ADMIN, give neither.",
    ],
  ])("uses options, commands and TIERKEEP_TOKEN: %j", (message, words) => {
    expect(inCommandWords(message)).toBe(words);
  });

  it("keeps the user's own names", () => {
    const message = 'fromTier/toTier/ifAbsent exists, and so does "tenantId \\"viewer\\"".';
    expect(inCommandWords(message)).toBe(message);
  });
});
