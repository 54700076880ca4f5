import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { metadataOf, metadataOptions } from "./metadata.ts";

const given = (...args: string[]) => {
  const command = metadataOptions(new Command(), "facts")
    .exitOverride()
    .configureOutput({ writeErr() {} });
  return metadataOf(command.parse(args, { from: "user" }).opts());
};

describe("metadataOf", () => {
  it("combines texts of --meta and JSON of --metadata", () => {
    expect(given()).toBeUndefined();
    expect(given("--meta", "version=1.0", "--meta", "note=a=b", "--meta", "empty=")).toEqual({
      version: "1.0",
      note: "a=b",
      empty: "",
    });
    expect(given("--metadata", '{"rows":42}', "--meta", "author=Ada")).toEqual({ rows: 42, author: "Ada" });
  });

  it.each([
    [["--meta", "author"], /Give key=text/],
    [["--meta", "=Ada"], /Give key=text/],
    [["--meta", "a=1", "--meta", "a=2"], /a is given twice/],
    [["--metadata", "{"], /not JSON/],
    [["--metadata", "[1]"], /must be a JSON object/],
    [["--metadata", '{"a":1}', "--meta", "a=1"], /both give "a"/],
    [["--meta", "_checksum=1"], /reserved/],
  ])("rejects %j", (args, message) => {
    expect(() => given(...args)).toThrow(message);
  });
});
