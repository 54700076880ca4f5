import { Refused } from "@tierkeep/schema/domain/refusals";
import { expect, it } from "vitest";
import { artifactKeyOf, type KeyOptions, workflowOf } from "./key.ts";

const named = { tenant: "acme", workflow: "weekly", artifact: "report.md" };
const key = { tenantId: "acme", workflowId: "weekly", artifactId: "report.md" };

it("artifactKeyOf accepts one argument or three options", () => {
  expect(artifactKeyOf("acme/weekly/report.md", {})).toEqual(key);
  expect(artifactKeyOf(undefined, named)).toEqual(key);
});

it.each<[string, string | undefined, KeyOptions, string, RegExp]>([
  ["no key", undefined, {}, "BAD_USER_INPUT", /^Which artifact\? Give KEY/],
  [
    "an incomplete key",
    undefined,
    { tenant: "acme" },
    "BAD_USER_INPUT",
    /--workflow and --artifact are missing/,
  ],
  [
    "an argument and an option",
    "acme/weekly/report.md",
    { tenant: "acme" },
    "BAD_USER_INPUT",
    /KEY and --tenant both name/,
  ],
  ["two parts", "acme/weekly", {}, "BAD_USER_INPUT", /"acme\/weekly" has 2 parts, not 3/],
  ["an empty segment", "acme/weekly/a//b", {}, "INVALID_IDENTIFIER", /empty segment/],
  ["an empty part", "acme//report.md", {}, "INVALID_IDENTIFIER", /KEY's workflowId "" is empty/],
  ["a path", "../../etc", {}, "INVALID_IDENTIFIER", /KEY's tenantId "\.\." contains/],
  [
    "a reserved name",
    undefined,
    { ...named, artifact: "con" },
    "INVALID_IDENTIFIER",
    /--artifact "con" is a name/,
  ],
])("artifactKeyOf rejects %s", (_, text, options, code, message) => {
  const refused = (() => {
    try {
      return artifactKeyOf(text, options);
    } catch (error) {
      return error;
    }
  })();
  expect(refused).toBeInstanceOf(Refused);
  expect(refused).toMatchObject({ code, message: expect.stringMatching(message) });
});

it("workflowOf accepts one argument or two options, and rejects a key of an artifact", () => {
  const workflow = { tenantId: "acme", workflowId: "weekly" };
  expect(workflowOf("acme/weekly", {})).toEqual(workflow);
  expect(workflowOf("acme/weekly/", {})).toEqual(workflow);
  expect(workflowOf(undefined, { tenant: "acme", workflow: "weekly" })).toEqual(workflow);
  expect(() => workflowOf("acme/weekly", { tenant: "acme" })).toThrow(/both name the workflow/);
  expect(() => workflowOf("acme/weekly/report.md", {})).toThrow(/^Which workflow\?/);
  expect(() => workflowOf(undefined, { tenant: "acme" })).toThrow(/^Which workflow\?/);
  expect(() => workflowOf("acme/..", {})).toThrow(/the workflow "\.\." contains/);
});
