import { identifierProblem } from "@tierkeep/schema/domain/identifiers";
import { ROLES, type Role } from "@tierkeep/schema/domain/principal";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type ClientOptions, clientOptions, runAsClient } from "../../client-command.ts";
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
The secret is printed to stdout and cannot be shown again. Programs send it as "Authorization: Bearer SECRET". tierkeep
commands send the secret in TIERKEEP_TOKEN. With AUTH_API_KEYS=true, a server requires a token and accepts API keys. By
default, a server that accepts JSON Web Tokens also accepts API keys.

Examples:
  tierkeep keys create --tenant acme --role writer --expires 90d
  tierkeep keys create --all-tenants --role reader --name dashboard > dashboard.key
  tierkeep keys create --role admin --expires 12h
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Creates, lists and revokes API keys.")
    .addHelpText(
      "after",
      "\nExample:\n  tierkeep keys create --tenant acme --role writer --expires 90d\n\nEach subcommand has its own --help.",
    );
  const createCommand = command
    .command("create")
    .description("Creates a key and prints its secret.")
    .addOption(
      new Option("--role <role>", "role of the key's holder")
        .choices(ROLES.map((role) => role.toLowerCase()))
        .argParser(roleOf)
        .makeOptionMandatory(),
    )
    .addOption(repeatableOption("--tenant <tenant>", "a tenant that the key gives access to", tenantOf))
    .option("--all-tenants", "access to all present and future tenants (an admin always has it)")
    .option(
      "--expires <time>",
      "how long the key is valid, such as 90d or 12h (default: until revoked)",
      daysOf,
    )
    .option("--name <name>", "a name that says what the key is for")
    .addHelpText("after", CREATE_HELP);
  clientOptions(createCommand).action((options: CreateOptions) => {
    const { role, tenant: tenantIds, allTenants = false, expires: expiresInDays, name } = options;
    const choices = [tenantIds !== undefined, allTenants, role === "ADMIN"].filter(Boolean);
    if (choices.length !== 1) {
      createCommand.error("error: give either --tenant or --all-tenants; with --role admin, neither");
    }
    return run(() =>
      runAsClient(
        options,
        (tierkeep, output) =>
          createApiKey(tierkeep, { role, tenantIds, allTenants, expiresInDays, name }, output),
        "changes",
        // Creates the store if it is missing: the first key is needed before the server starts.
        "create",
      ),
    );
  });

  const listCommand = command
    .command("list")
    .description("Lists keys without their secrets, newest first, including revoked and expired ones.")
    .option("--limit <n>", "show at most this many", countOf, 100)
    .addHelpText("after", "\nExample:\n  tierkeep keys list --json");
  clientOptions(listCommand).action((options: ListOptions) =>
    run(() => runAsClient(options, (tierkeep, output) => listApiKeys(tierkeep, options, output), "reads")),
  );

  const revokeCommand = command
    .command("revoke")
    .description("Revokes a key. Requests and subscriptions that use it are ended.")
    .argument("<id>", "the key's id, as `keys list` shows it")
    .option("-y, --yes", "do not ask for confirmation at a terminal")
    .addHelpText("after", "\nExample:\n  tierkeep keys revoke 0011223344556677");
  clientOptions(revokeCommand).action((keyId: string, options: RevokeOptions) =>
    run(() =>
      runAsClient(options, async (tierkeep, output, signal) => {
        const question = `Revoke the key ${keyId}? This cannot be undone.`;
        if (!options.yes && isInteractive() && !(await confirmed(question, signal))) {
          output.note("Nothing was changed.");
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
