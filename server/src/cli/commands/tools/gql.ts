import { readFile } from "node:fs/promises";
import process from "node:process";
import { text } from "node:stream/consumers";
import { exactJson } from "@tierkeep/schema/domain/exact-numbers";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Command } from "commander";
import { type ClientOptions, clientOptions, runAsClient } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { sendDocument } from "./gql-document.ts";

interface Options extends ClientOptions {
  readonly variables?: string;
  readonly operation?: string;
}

/** Matches the beginning of a GraphQL document. Everything else is a file name. */
const DOCUMENT = /^\s*(?:[{#]|(?:query|mutation|subscription|fragment)[\s({])/;

const HELP = `
Data goes to stdout as JSON, including partial data of a response with errors. Errors go to stderr, and the first one
determines the exit code. For a subscription, the command writes a line for each event until Ctrl-C.

Examples:
  tierkeep gql '{ tierStats { tier artifactCount } }'
  tierkeep gql report.graphql --variables '{"tenantId":"acme"}'
  echo '{ tierStats { tier artifactCount totalBytes } }' | tierkeep gql - --json
  tierkeep gql operations.graphql --operation Artifact --variables @key.json
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Runs a GraphQL document: a query, a mutation or a subscription.")
    .argument("<file|document>", "the document's file, - for stdin, or the document itself")
    .option("--variables <json>", "variables; @FILE reads them from a file, @- from stdin")
    .option("--operation <name>", "the operation to run, if the document has several")
    .addHelpText("after", HELP);
  clientOptions(command).action((given: string, options: Options) =>
    run(async () => {
      const document = DOCUMENT.test(given) ? given : await contentOf(given);
      const variables = variablesOf(await variablesText(options.variables ?? "{}"));
      const { operation } = options;
      return runAsClient(options, (_tierkeep, output, _signal, post) =>
        sendDocument(post, { document, variables, operation }, output),
      );
    }),
  );
}

function variablesText(value: string): string | Promise<string> {
  return value.startsWith("@") ? contentOf(value.slice(1)) : value;
}

/** @throws Refused BAD_USER_INPUT */
function variablesOf(json: string): object {
  try {
    const value: unknown = JSON.parse(exactJson(json));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // The refusal below says what is expected.
  }
  throw new Refused("BAD_USER_INPUT", `--variables is not a JSON object, such as '{"tenantId":"acme"}'.`);
}

/** @throws Refused NOT_FOUND */
async function contentOf(file: string): Promise<string> {
  if (file === "-") return await text(process.stdin);
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Refused("NOT_FOUND", `${file} cannot be read (${code}).`, {}, { cause });
  }
}
