import process from "node:process";
import { TIERS, type Tier } from "@tierkeep/schema/domain/tiers";
import { createTierkeep, type Tierkeep } from "@tierkeep/sdk";
import { type Command, InvalidArgumentError, Option } from "commander";
import { connect } from "./owner.ts";
import { readConfig } from "./read-config.ts";
import { type Output, outputTo } from "./render-output.ts";

/** Options of every command that is a client. */
export interface ClientOptions {
  readonly url?: string | undefined;
  readonly json?: boolean | undefined;
}

export function clientOptions(command: Command): Command {
  return command
    .option(
      "--url <url>",
      "the GraphQL endpoint of a server (default: the store that the environment names)",
      urlOf,
    )
    .option("--json", "write JSON to stdout");
}

/** Runs a client's work against the server at --url, the store's owner, or the store itself. Answers with its exit code. */
export async function asClient(
  { url, json }: ClientOptions,
  work: (tierkeep: Tierkeep, output: Output) => Promise<number>,
): Promise<number> {
  const output = processOutput(json);
  const connection = await connect(readConfig(), { url });
  try {
    return await work(createTierkeep({ url: connection.url, fetch: connection.fetch }), output);
  } finally {
    await connection.close();
  }
}

export function processOutput(json?: boolean | undefined): Output {
  return outputTo({ json, stdout: process.stdout, stderr: process.stderr, env: process.env });
}

/** An option that takes a tier's name, in any case. */
export function tierOption(flags: string, description: string): Option {
  return new Option(flags, `${description}: ${TIERS.join(", ").toLowerCase()}`).argParser(tierOf);
}

function tierOf(text: string): Tier {
  const tier = TIERS.find((each) => each === text.toUpperCase());
  if (tier === undefined) throw new InvalidArgumentError(`Give ${TIERS.join(", ").toLowerCase()}.`);
  return tier;
}

function urlOf(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new InvalidArgumentError("Give the http or https URL of a server's /graphql.");
  }
  return text;
}
