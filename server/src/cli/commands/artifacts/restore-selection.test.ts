import { describe, expect, it } from "vitest";
import { type SelectionOptions, selectionOf } from "./restore-selection.ts";

const select = (key: string | undefined, options: Partial<SelectionOptions> = {}) =>
  selectionOf(key, { toTier: "HOT", ...options });
const tenant = "acme";
const colder = ["WARM", "COLD"];

describe("selectionOf", () => {
  it("selects one artifact by its key or three options", () => {
    const key = { tenantId: "acme", workflowId: "weekly", artifactId: "a" };
    expect(select("acme/weekly/a")).toEqual({ how: "one", key });
    expect(select(undefined, { tenant, workflow: "weekly", artifact: "a", fromTier: "WARM" })).toEqual({
      how: "one",
      key,
    });
  });

  it.each<[Partial<SelectionOptions>, string, object]>([
    [{ list: true }, "list", { tiers: colder }],
    [{ list: true, fromTier: "COLD", workflow: "w" }, "list", { tiers: ["COLD"], workflowId: "w" }],
    [{ autoSelect: true, toTier: "WARM" }, "first", { tiers: ["COLD"] }],
    [{ all: true }, "all", { tiers: colder }],
    [{ workflow: "w" }, "all", { workflowId: "w", tiers: colder }],
    [{ prefix: "report-" }, "all", { artifactIdPrefix: "report-" }],
    [{ olderThan: 30 }, "all", { olderThanDays: 30 }],
    [{ meta: new Map([["author", "Ada"]]) }, "all", { metadata: { author: "Ada" } }],
    [{}, "choose", { tiers: colder }],
    [{ fromTier: "WARM" }, "choose", { tiers: ["WARM"] }],
  ])("with %j selects: %s", (options, how, where) => {
    expect(select(undefined, { tenant, ...options })).toMatchObject({
      how,
      where: { tenantId: tenant, ...where },
    });
  });

  it.each<[string | undefined, Partial<SelectionOptions>, RegExp]>([
    [undefined, {}, /Which artifacts/],
    [undefined, { tenant, artifact: "a" }, /--workflow is missing/],
    ["acme/weekly/a", { prefix: "b" }, /KEY names one artifact, and a filter selects several/],
    ["acme/weekly/a", { list: true }, /and --list selects several/],
    [
      undefined,
      { tenant, workflow: "w", artifact: "a", all: true },
      /--artifact names one artifact, and --all/,
    ],
    [undefined, { tenant, list: true, all: true }, /only one of --list, --auto-select, --all/],
    [undefined, { tenant, all: true, toTier: "COLD" }, /No tier is colder/],
    [undefined, { tenant: "..", all: true }, /--tenant "\.\." contains/],
  ])("rejects %j with %j", (key, options, message) => {
    expect(() => select(key, options)).toThrow(message);
  });
});
