import { Command, Option } from "commander";
import { describe, expect, it } from "vitest";
import { commandsPage } from "./commands-page.ts";

describe("commandsPage", () => {
  const program = new Command("tierkeep");
  const bake = program.command("bake").summary("bake a cake").description("Bakes a cake, or a <pie>.");
  bake
    .argument("<cake>", "which cake")
    .addOption(new Option("--size <n>", "with --icing only").choices(["1", "2"]).default("1"))
    .option("--icing", "put icing | cream on it", false)
    .addOption(new Option("--secret", "not for users").hideHelp())
    .addHelpText(
      "after",
      "\nIt reads a_b.txt and\nMAX_SIZE.\n\nSteps, in order:\n  mix (1): stir\n  bake (2): wait",
    )
    .addHelpText("after", "\nExamples:\n  tierkeep bake tart --size 2\n  tierkeep bake pie    a pie");
  bake.command("again").description("Bakes it again.");
  const page = commandsPage(program);

  it("documents the usage, arguments, options, choices and defaults of a command", () => {
    expect(page).toContain("## tierkeep bake\n\nBakes a cake, or a \\<pie>.\n");
    expect(page).toContain("```text\ntierkeep bake [options] [command] <cake>\n```");
    expect(page).toContain("| `cake` | which cake |\n");
    expect(page).toContain("| `--size <n>` | with `--icing` only (`1`, `2`; default: `1`) |\n");
    expect(page).toContain("| `--icing` | put icing \\| cream on it |\n");
  });

  it("leaves hidden options out", () => {
    expect(page).not.toContain("--secret");
  });

  it("documents subcommands and lists commands with a link", () => {
    expect(page).toContain("### tierkeep bake again\n\nBakes it again.\n");
    expect(page).toContain("| [`bake`](#tierkeep-bake) | bake a cake |\n");
  });

  it("turns the text after the options into paragraphs, lists and examples", () => {
    expect(page).toContain("\n\nIt reads a_b.txt and `MAX_SIZE`.\n\n");
    expect(page).toContain("\n\nSteps, in order:\n\n- mix (1): stir\n- bake (2): wait\n\n");
    expect(page).toContain("```sh\ntierkeep bake tart --size 2\ntierkeep bake pie    # a pie\n```");
  });
});
