import { describe, expect, it } from "vitest";
import { runCommand } from "../support/server.ts";

describe("an unknown command", () => {
  it.each([
    ["rm", /^tierkeep: there is no command 'rm'\. `tierkeep purge KEY`/],
    ["cp", /`tierkeep write KEY FILE` uploads .*`tierkeep read KEY -o FILE` downloads/],
    ["mv", /Keys cannot be renamed: .*`tierkeep promote KEY --to-tier TIER`/],
  ])("%s of another tool names the command to use", async (name, message) => {
    const { code, stdout, stderr } = await runCommand([name, "-r", "acme/weekly"]);
    expect([code, stdout, stderr]).toEqual([2, "", expect.stringMatching(message)]);
  });

  it("that is misspelt is rejected with a suggestion", async () => {
    const { code, stderr } = await runCommand(["purgee"]);
    expect([code, stderr]).toEqual([
      2,
      "tierkeep: unknown command 'purgee'\n(Did you mean purge?)\nSee `tierkeep --help`.\n",
    ]);
  });
});
