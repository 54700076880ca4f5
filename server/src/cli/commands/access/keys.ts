import { identifierProblem } from "@tierkeep/schema/domain/identifiers";
import { ROLES, type Role } from "@tierkeep/schema/domain/principal";
import { type Command, InvalidArgumentError, Option } from "commander";
import { asClient, type ClientOptions, clientOptions } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { repeatableOption } from "../../options/repeatable.ts";
import { countOf, daysOf } from "../../options/values.ts";
import { confirmed, isInteractive } from "../../output/confirm.ts";
import { createApiKey, listApiKeys, revokeApiKey } from "./api-keys.ts";

interface CreateOptions extends ClientOptions {
  readonly role: Role;
  readonly tenant?: readonly string[];
  readonly allTenants?: true;
  readonly expires?: number;
  readonly name?: string;
}

interface RevokeOptions extends ClientOptions {
  readonly yes?: true;
}

interface ListOptions extends ClientOptions {
  readonly limit: number;
}

const CREATE_HELP = `
The secret goes to stdout, this once: nobody can look it up later. A program sends it as "Authorization: Bearer SECRET";
a tierkeep command does, where TIERKEEP_TOKEN holds it. A server asks for keys when AUTH_API_KEYS=true, or as soon as it
takes JSON Web Tokens.

Examples:
  tierkeep keys create --tenant acme --role writer --expires 90d
  tierkeep keys create --all-tenants --role reader --name dashboard > dashboard.key
  tierkeep keys create --role admin --expires 12h
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Makes, lists and revokes the API keys that let programs in.")
    .addHelpText(
      "after",
      "\nExample:\n  tierkeep keys create --tenant acme --role writer --expires 90d\n\nEach has a --help of its own.",
    );
  const createCommand = command
    .command("create")
    .description("Makes a key, and prints its secret.")
    .addOption(
      new Option("--role <role>", "what its holder may do")
        .choices(ROLES.map((role) => role.toLowerCase()))
        .argParser(roleOf)
        .makeOptionMandatory(),
    )
    .addOption(repeatableOption("--tenant <tenant>", "a tenant that its holder may see and act on", tenantOf))
    .option("--all-tenants", "all tenants, now and later (an admin always has them)")
    .option(
      "--expires <time>",
      "how long it is good for, such as 90d or 12h (default: until revoked)",
      daysOf,
    )
    .option("--name <name>", "what it is for")
    .addHelpText("after", CREATE_HELP);
  clientOptions(createCommand).action((options: CreateOptions) => {
    const { role, tenant: tenantIds, allTenants = false, expires: expiresInDays, name } = options;
    const choices = [tenantIds !== undefined, allTenants, role === "ADMIN"].filter(Boolean);
    if (choices.length !== 1) {
      createCommand.error("error: give either --tenant or --all-tenants; with --role admin, neither");
    }
    return run(() =>
      asClient(
        options,
        (tierkeep, output) =>
          createApiKey(tierkeep, { role, tenantIds, allTenants, expiresInDays, name }, output),
        "changes",
        // The first key is made before the server runs.
        "create",
      ),
    );
  });

  const listCommand = command
    .command("list")
    .description("Lists keys, newest first, revoked and expired ones included. It shows no secret.")
    .option("--limit <n>", "only so many", countOf, 100)
    .addHelpText("after", "\nExample:\n  tierkeep keys list --json");
  clientOptions(listCommand).action((options: ListOptions) =>
    run(() => asClient(options, (tierkeep, output) => listApiKeys(tierkeep, options, output), "reads")),
  );

  const revokeCommand = command
    .command("revoke")
    .description("Lets nobody in with a key any more, and ends what is under way with it.")
    .argument("<id>", "which key: its id, as `keys list` shows it")
    .option("-y, --yes", "do not ask, as a person at a terminal is asked")
    .addHelpText("after", "\nExample:\n  tierkeep keys revoke 0011223344556677");
  clientOptions(revokeCommand).action((keyId: string, options: RevokeOptions) =>
    run(() =>
      asClient(options, async (tierkeep, output, signal) => {
        const question = `Revoke the key ${keyId}? It cannot be made good again.`;
        if (!options.yes && isInteractive() && !(await confirmed(question, signal))) {
          output.talk("Nothing was changed.");
          return 1;
        }
        return revokeApiKey(tierkeep, { keyId }, output);
      }),
    ),
  );
}

function roleOf(text: string): Role {
  const role = ROLES.find((each) => each === text.toUpperCase());
  if (role === undefined) throw new InvalidArgumentError(`Give ${ROLES.join(", ").toLowerCase()}.`);
  return role;
}

function tenantOf(text: string): string {
  const problem = identifierProblem("tenantId", text);
  if (problem !== null) throw new InvalidArgumentError(problem);
  return text;
}
