import { Refused } from "@tierkeep/schema/domain/refusals";
import { expect, it } from "vitest";
import { artifactKeyOf, type KeyOptions, workflowOf } from "./key.ts";

const named = { tenant: "acme", workflow: "weekly", artifact: "report.md" };
const key = { tenantId: "acme", workflowId: "weekly", artifactId: "report.md" };

it("an artifact is named in one argument or in three options", () => {
  expect(artifactKeyOf("acme/weekly/report.md", {})).toEqual(key);
  expect(artifactKeyOf(undefined, named)).toEqual(key);
});

it.each<[string, string | undefined, KeyOptions, string, RegExp]>([
  ["not at all", undefined, {}, "BAD_USER_INPUT", /^Which artifact\? Give KEY/],
  ["in part", undefined, { tenant: "acme" }, "BAD_USER_INPUT", /--workflow and --artifact are missing/],
  [
    "in both ways",
    "acme/weekly/report.md",
    { tenant: "acme" },
    "BAD_USER_INPUT",
    /KEY and --tenant both say/,
  ],
  ["with two parts", "acme/weekly", {}, "BAD_USER_INPUT", /"acme\/weekly" has 2 of its 3 parts/],
  ["with four parts", "acme/weekly/a/b", {}, "BAD_USER_INPUT", /has 4 of its 3 parts/],
  ["with an empty part", "acme//report.md", {}, "INVALID_IDENTIFIER", /KEY's workflowId "" is empty/],
  ["by a path", "../../etc", {}, "INVALID_IDENTIFIER", /KEY's tenantId "\.\." contains/],
  [
    "by a reserved name",
    undefined,
    { ...named, artifact: "con" },
    "INVALID_IDENTIFIER",
    /--artifact "con" is a name/,
  ],
])("an artifact named %s is refused before anything is opened", (_, text, options, code, message) => {
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

it("a workflow is named likewise, and with nothing more than it takes", () => {
  const workflow = { tenantId: "acme", workflowId: "weekly" };
  expect(workflowOf("acme/weekly", {})).toEqual(workflow);
  expect(workflowOf("acme/weekly/", {})).toEqual(workflow);
  expect(workflowOf(undefined, { tenant: "acme", workflow: "weekly" })).toEqual(workflow);
  expect(() => workflowOf("acme/weekly", { tenant: "acme" })).toThrow(/both say which workflow/);
  expect(() => workflowOf("acme/weekly/report.md", {})).toThrow(/^Which workflow\?/);
  expect(() => workflowOf(undefined, { tenant: "acme" })).toThrow(/^Which workflow\?/);
  expect(() => workflowOf("acme/..", {})).toThrow(/the workflow "\.\." contains/);
});
