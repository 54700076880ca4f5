import { type Command, InvalidArgumentError } from "commander";
import type { Head } from "../../../audit/verdict.ts";
import { type ClientOptions, clientOptions, processOutput, runAsClient } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { instantOf } from "../../options/values.ts";
import { auditExport } from "./export.ts";
import { auditVerify } from "./verify.ts";

interface VerifyCommandOptions {
  readonly logDir?: string;
  readonly publicKey?: string;
  readonly expectHead?: readonly Head[];
  readonly json?: true;
}

interface ExportCommandOptions extends ClientOptions {
  readonly since?: string;
  readonly until?: string;
  readonly tenant?: string;
  readonly output?: string;
}

const HELP = `
Examples:
  tierkeep audit verify
  tierkeep audit export --tenant acme --since 2026-01-01`;

const VERIFY_HELP = `
The command reads only the log's files, their checkpoints and the public key. It opens no store and contacts no server,
so it works on copies and on another machine.

It detects every changed byte, and every line or file that was removed, inserted, repeated or reordered. It detects a
truncated log up to its newest checkpoint, or up to the head given with --expect-head.

It cannot detect a log that was rewritten and signed again by an attacker with access to the machine and the signing
key. Only a head that was stored elsewhere reveals that. Store the head that this command prints, and a copy of the
public key, where such an attacker cannot write, and pass them to the next verification. The command cannot prove that
the logged events happened. Of lines without "prev", the hash of the previous line, it proves only the last one.

Exit codes: 0 valid, 7 not valid, 2 wrong options or key, 3 no log found.

Examples:
  tierkeep audit verify
  tierkeep audit verify --log-dir /mnt/copy/logs --public-key kept/tierkeep.pem --expect-head 1205:4b2f…`;

const EXPORT_HELP = `
The export has one JSON object per line, oldest first, with the keys of the audit log's lines. Three keys differ:
"cursor" replaces "seq", because positions would reveal the activity of other tenants; "job_id" is the API's id; "prev"
is missing, because a selection of lines is not a chain. An export cannot be verified: use tierkeep audit verify on the
log.

Example:
  tierkeep audit export --tenant acme --since 2026-01-01 --until 2026-04-01 --output acme-q1.jsonl`;

export function configure(command: Command, run: Run): void {
  command.description("Verifies the audit log, or exports events for an auditor.").addHelpText("after", HELP);
  command
    .command("verify")
    .description("Verifies the audit log offline, from its files and a public key.")
    .option("--log-dir <folder>", "the folder of the log (default: the store's LOG_DIR)")
    .option(
      "--public-key <file>",
      "the public keys that signatures are checked with (default: the file beside the log)",
    )
    .option("--expect-head <seq:hash>", "a stored head, which must be in the log; repeatable", headsOf)
    .option("--json", "write JSON to stdout")
    .addHelpText("after", VERIFY_HELP)
    .action((options: VerifyCommandOptions) =>
      run(() =>
        auditVerify(
          { directory: options.logDir, publicKey: options.publicKey, expected: options.expectHead ?? [] },
          processOutput(options.json),
        ),
      ),
    );
  const exportCommand = command
    .command("export")
    .description("Exports events from the API in the format of the audit log.")
    .option(
      "--since <instant>",
      "only events since then: a duration ago (2h, 30m, 7d), a date or an instant",
      instantOf,
    )
    .option("--until <instant>", "only events before then, in the same formats", instantOf)
    .option("--tenant <tenant>", "only events of this tenant")
    .option("--output <file>", "write to this file, completely or not at all (default: stdout)")
    .addHelpText("after", EXPORT_HELP);
  clientOptions(exportCommand).action(
    ({ since, until, tenant, output: file, ...options }: ExportCommandOptions) =>
      run(() =>
        runAsClient(
          options,
          (tierkeep, output, signal) =>
            auditExport(tierkeep, { since, until, tenantId: tenant, file }, output, signal),
          "reads",
        ),
      ),
  );
}

function headsOf(text: string, previous: readonly Head[] = []): readonly Head[] {
  const match = /^([1-9]\d{0,15}):([0-9a-f]{64})$/.exec(text);
  if (match === null) {
    throw new InvalidArgumentError(
      "Give SEQ:HASH as `tierkeep audit verify` prints it: a number, a colon, 64 hex digits.",
    );
  }
  return [...previous, { seq: Number(match[1]), hash: match[2] as string }];
}
